// SPDX-License-Identifier: GPL-2.0

#include <linux/workqueue.h>

void rust_helper_init_delayed_work(struct delayed_work *dwork,
				   work_func_t func)
{
	INIT_DELAYED_WORK(dwork, func);
}

/* Runs the work as soon as possible, also if it was armed for later. */
bool rust_helper_kick_delayed_work(struct delayed_work *dwork)
{
	return mod_delayed_work(system_long_wq, dwork, 0);
}

/* Arms the work unless it is armed already. */
bool rust_helper_arm_delayed_work(struct delayed_work *dwork,
				  unsigned int msecs)
{
	return queue_delayed_work(system_long_wq, dwork,
				  msecs_to_jiffies(msecs));
}

bool rust_helper_disable_delayed_work_sync(struct delayed_work *dwork)
{
	return disable_delayed_work_sync(dwork);
}
