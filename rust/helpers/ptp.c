// SPDX-License-Identifier: GPL-2.0

#include <linux/ptp_clock_kernel.h>

/* In a kernel without PTP clocks these are inline functions that do nothing. */

struct ptp_clock *rust_helper_ptp_clock_register(struct ptp_clock_info *info,
						 struct device *parent)
{
	return ptp_clock_register(info, parent);
}

int rust_helper_ptp_clock_unregister(struct ptp_clock *ptp)
{
	return ptp_clock_unregister(ptp);
}

int rust_helper_ptp_clock_index(struct ptp_clock *ptp)
{
	return ptp_clock_index(ptp);
}

int rust_helper_ptp_schedule_worker(struct ptp_clock *ptp, unsigned long delay)
{
	return ptp_schedule_worker(ptp, delay);
}

void rust_helper_ptp_read_system_prets(struct ptp_system_timestamp *sts)
{
	ptp_read_system_prets(sts);
}

void rust_helper_ptp_read_system_postts(struct ptp_system_timestamp *sts)
{
	ptp_read_system_postts(sts);
}
