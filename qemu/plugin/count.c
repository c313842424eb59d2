// SPDX-License-Identifier: GPL-2.0
/*
 * A plugin of QEMU that counts the instructions the guest executes, 16 bytes of
 * its kernel by 16 bytes (QEMU's TCG plugins, version 7 of their interface).
 *
 * The guest says from where to where: `bench mark` executes an instruction that
 * does nothing (MARK_FROM, MARK_TO). With the latter OUT, of the argument
 * out=OUT, is made anew: a line with an address and a count for each 16 bytes
 * that were executed. All of user space is at address 0.
 *
 * For one processor. Debian ships no header for plugins, hence the declarations.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_plugin_scoreboard;

typedef struct {
	struct qemu_plugin_scoreboard *score;
	size_t offset;
} qemu_plugin_u64;

enum { INLINE_ADD_U64 };
enum { CB_NO_REGS };

void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id,
					   void (*cb)(struct qemu_plugin_tb *tb,
						      void *data),
					   void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *
qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_data(const struct qemu_plugin_insn *insn, void *to,
			     size_t len);
void qemu_plugin_register_vcpu_insn_exec_inline_per_vcpu(struct qemu_plugin_insn *insn,
							 int op,
							 qemu_plugin_u64 entry,
							 uint64_t value);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
					    void (*cb)(unsigned int cpu,
						       void *data),
					    int flags, void *data);
struct qemu_plugin_scoreboard *qemu_plugin_scoreboard_new(size_t size);
void *qemu_plugin_scoreboard_find(struct qemu_plugin_scoreboard *score,
				  unsigned int cpu);

EXPORT int qemu_plugin_version = 7;

/* nopl with a displacement that no compiler emits */
static const uint8_t mark_from[8] = { 0x0f, 0x1f, 0x84, 0x00, 'f', 'r', 'o', 'm' };
static const uint8_t mark_to[8] = { 0x0f, 0x1f, 0x84, 0x00, 't', 'o', '.', '.' };

#define SLOTS (1u << 18)	/* a power of two, many times what is executed */

static struct qemu_plugin_scoreboard *score;
static uint64_t addresses[SLOTS], before[SLOTS];
static const char *out;

/* The slot that counts for the 16 bytes around an address; slot 0 is user space's. */
static unsigned int slot_of(uint64_t address)
{
	uint64_t block = address >> 4;
	unsigned int slot, tries;

	if (!(address >> 63))
		return 0;
	slot = (block * 0x9e3779b97f4a7c15u) >> 46;
	for (tries = 0; tries < SLOTS; tries++, slot = (slot + 1) % SLOTS) {
		if (!slot)
			continue;
		if (addresses[slot] == block << 4)
			return slot;
		if (!addresses[slot]) {
			addresses[slot] = block << 4;
			return slot;
		}
	}
	fprintf(stderr, "count: too much code\n");
	abort();
}

static void from(unsigned int cpu, void *data)
{
	memcpy(before, qemu_plugin_scoreboard_find(score, cpu), sizeof(before));
}

static void to(unsigned int cpu, void *data)
{
	const uint64_t *now = qemu_plugin_scoreboard_find(score, cpu);
	FILE *file = fopen(out, "w");
	unsigned int slot;

	if (!file) {
		perror(out);
		abort();
	}
	for (slot = 0; slot < SLOTS; slot++)
		if (now[slot] != before[slot])
			fprintf(file, "%" PRIx64 " %" PRIu64 "\n",
				addresses[slot], now[slot] - before[slot]);
	fclose(file);
}

static void count(struct qemu_plugin_insn *insn, unsigned int slot, uint64_t n)
{
	qemu_plugin_u64 entry = { score, slot * sizeof(uint64_t) };

	qemu_plugin_register_vcpu_insn_exec_inline_per_vcpu(insn, INLINE_ADD_U64,
							    entry, n);
}

static void translated(struct qemu_plugin_tb *tb, void *data)
{
	size_t n = qemu_plugin_tb_n_insns(tb), i;
	struct qemu_plugin_insn *first = NULL;
	unsigned int slot = 0;
	uint64_t held = 0;

	/* One addition for all that follow each other in the same slot. */
	for (i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		unsigned int this = slot_of(qemu_plugin_insn_vaddr(insn));
		uint8_t bytes[16] = {};

		if (first && this != slot) {
			count(first, slot, held);
			first = NULL;
		}
		if (!first) {
			first = insn;
			slot = this;
			held = 0;
		}
		held++;
		if (this || qemu_plugin_insn_data(insn, bytes, sizeof(bytes)) != sizeof(mark_to))
			continue;
		if (!memcmp(bytes, mark_from, sizeof(mark_from)))
			qemu_plugin_register_vcpu_insn_exec_cb(insn, from, CB_NO_REGS, NULL);
		else if (!memcmp(bytes, mark_to, sizeof(mark_to)))
			qemu_plugin_register_vcpu_insn_exec_cb(insn, to, CB_NO_REGS, NULL);
	}
	if (first)
		count(first, slot, held);
}

EXPORT int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv)
{
	if (argc != 1 || strncmp(argv[0], "out=", 4)) {
		fprintf(stderr, "count: use out=FILE\n");
		return -1;
	}
	out = strdup(argv[0] + 4);
	score = qemu_plugin_scoreboard_new(SLOTS * sizeof(uint64_t));
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated, NULL);
	return 0;
}
