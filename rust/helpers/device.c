// SPDX-License-Identifier: GPL-2.0

#include <linux/device.h>

bool rust_helper_device_trylock(struct device *dev)
{
	return device_trylock(dev);
}

void rust_helper_device_unlock(struct device *dev)
{
	device_unlock(dev);
}

void rust_helper_dev_pm_set_driver_flags(struct device *dev, u32 flags)
{
	dev_pm_set_driver_flags(dev, flags);
}
