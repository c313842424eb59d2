// SPDX-License-Identifier: GPL-2.0

#include <linux/mii.h>
#include <linux/netdevice.h>
#include <net/netdev_lock.h>

void rust_helper_netif_napi_add_config(struct net_device *dev,
				       struct napi_struct *napi,
				       int (*poll)(struct napi_struct *napi, int budget),
				       int index)
{
	netif_napi_add_config(dev, napi, poll, index);
}

void rust_helper_netif_napi_del(struct napi_struct *napi)
{
	netif_napi_del(napi);
}

void rust_helper_netif_napi_set_irq(struct napi_struct *napi, int irq)
{
	netif_napi_set_irq(napi, irq);
}

void rust_helper_netif_addr_lock_bh(struct net_device *dev)
{
	netif_addr_lock_bh(dev);
}

void rust_helper_netif_addr_unlock_bh(struct net_device *dev)
{
	netif_addr_unlock_bh(dev);
}

void rust_helper_netif_tx_lock_bh(struct netdev_queue *txq)
{
	__netif_tx_lock_bh(txq);
}

void rust_helper_netif_tx_unlock_bh(struct netdev_queue *txq)
{
	__netif_tx_unlock_bh(txq);
}

void rust_helper_netif_tx_stop_queue(struct netdev_queue *txq)
{
	netif_tx_stop_queue(txq);
}

void rust_helper_netif_tx_start_queue(struct netdev_queue *txq)
{
	netif_tx_start_queue(txq);
}

void rust_helper_netif_tx_disable(struct net_device *dev)
{
	netif_tx_disable(dev);
}

void rust_helper_netif_tx_wake_all_queues(struct net_device *dev)
{
	netif_tx_wake_all_queues(dev);
}

bool rust_helper_netdev_tx_sent_queue(struct netdev_queue *txq,
				      unsigned int bytes, bool xmit_more)
{
	return __netdev_tx_sent_queue(txq, bytes, xmit_more);
}

/* netdev_tx_completed_queue() with a full barrier, whatever the config. */
void rust_helper_netdev_tx_completed_queue(struct netdev_queue *txq,
					   unsigned int pkts,
					   unsigned int bytes)
{
	netdev_tx_completed_queue(txq, pkts, bytes);
	smp_mb(); /* pairs with the one in XmitQueue::stop_unless() */
}

void rust_helper_netdev_tx_reset_queue(struct netdev_queue *txq)
{
	netdev_tx_reset_queue(txq);
}

bool rust_helper_netdev_xmit_more(void)
{
	return netdev_xmit_more();
}

bool rust_helper_netif_device_present(const struct net_device *dev)
{
	return netif_device_present(dev);
}

bool rust_helper_netif_running(const struct net_device *dev)
{
	return netif_running(dev);
}

bool rust_helper_netif_carrier_ok(const struct net_device *dev)
{
	return netif_carrier_ok(dev);
}

bool rust_helper_netif_is_rxfh_configured(const struct net_device *dev)
{
	return netif_is_rxfh_configured(dev);
}

struct mii_ioctl_data *rust_helper_if_mii(struct ifreq *ifr)
{
	return if_mii(ifr);
}

/* What every device of ours has: unicast filters. */
void rust_helper_netdev_init_flags(struct net_device *dev)
{
	dev->priv_flags |= IFF_UNICAST_FLT;
}
