// SPDX-License-Identifier: GPL-2.0

#include <linux/pm_qos.h>

#include "helpers.h"

void rust_helper_cpu_latency_qos_add_request(struct pm_qos_request *req,
					     s32 value)
{
	cpu_latency_qos_add_request(req, value);
}

void rust_helper_cpu_latency_qos_update_request(struct pm_qos_request *req,
						s32 new_value)
{
	cpu_latency_qos_update_request(req, new_value);
}

void rust_helper_cpu_latency_qos_remove_request(struct pm_qos_request *req)
{
	cpu_latency_qos_remove_request(req);
}
