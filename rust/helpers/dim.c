// SPDX-License-Identifier: GPL-2.0

#include <linux/dim.h>

/* An instance that begins where drivers without better knowledge begin. */
static void dim_begin(struct dim *dim)
{
	dim->state = DIM_START_MEASURE;
	dim->mode = DIM_CQ_PERIOD_MODE_START_FROM_EQE;
	dim->profile_ix = NET_DIM_DEF_PROFILE_EQE;
	dim->tune_state = DIM_PARKING_ON_TOP;
	dim->steps_right = 0;
	dim->steps_left = 0;
	dim->tired = 0;
	memset(&dim->prev_stats, 0, sizeof(dim->prev_stats));
}

void rust_helper_dim_init(struct dim *dim, work_func_t func)
{
	INIT_WORK(&dim->work, func);
	dim_begin(dim);
}

/* Only while nobody calls rust_helper_dim_sample(). */
void rust_helper_dim_reset(struct dim *dim)
{
	cancel_work_sync(&dim->work);
	dim_begin(dim);
}

/* The work item has done what net_dim() asked for. */
void rust_helper_dim_measure(struct dim *dim)
{
	/* Pairs with the one in rust_helper_dim_sample(). */
	smp_store_release(&dim->state, DIM_START_MEASURE);
}

/* Tells net_dim() of one event more; @anew: what it has measured is old. */
void rust_helper_dim_sample(struct dim *dim, bool anew, u16 events,
			    u64 packets, u64 bytes)
{
	struct dim_sample sample = {};

	/* Until the work item is done its instance is not to be touched. */
	if (smp_load_acquire(&dim->state) == DIM_APPLY_NEW_PROFILE)
		return;
	if (anew)
		dim->state = DIM_START_MEASURE;
	dim_update_sample(events, packets, bytes, &sample);
	net_dim(dim, &sample);
}
