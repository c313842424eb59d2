/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Included behind the configuration, and before all else, where clang compiles the
 * helpers for a kernel that gcc has built: what Kconfig has found out about gcc is
 * not true of clang.
 *
 * With named address spaces the kernel's inline assembly expects the compiler to
 * put %gs: before per-CPU variables. gcc does; clang does not, and what was to
 * change this processor's variable would change the template of all.
 */
#undef CONFIG_CC_HAS_COUNTED_BY
#undef CONFIG_CC_HAS_COUNTED_BY_PTR
#undef CONFIG_CC_HAS_NAMED_AS
#undef CONFIG_CC_HAS_NAMED_AS_FIXED_SANITIZERS
#undef CONFIG_USE_X86_SEG_SUPPORT
#undef CONFIG_CC_IS_GCC
#define CONFIG_CC_IS_CLANG 1
