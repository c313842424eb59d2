// SPDX-License-Identifier: GPL-2.0

#include <linux/pm_wakeup.h>

bool rust_helper_device_can_wakeup(struct device *dev)
{
	return device_can_wakeup(dev);
}

bool rust_helper_device_may_wakeup(struct device *dev)
{
	return device_may_wakeup(dev);
}
