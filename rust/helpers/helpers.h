/* SPDX-License-Identifier: GPL-2.0 */
/*
 * C helpers for `rust/kernel`: inline functions and macros of the kernel that
 * Rust cannot call. Each does what its namesake does and nothing else, unless
 * its comment says so.
 */
#ifndef E1000E_RUST_HELPERS_H
#define E1000E_RUST_HELPERS_H

#include <linux/dim.h>
#include <linux/netdevice.h>
#include <linux/pci.h>
#include <linux/pm_qos.h>
#include <linux/pm_runtime.h>
#include <linux/pm_wakeup.h>
#include <linux/ptp_clock_kernel.h>
#include <linux/ratelimit.h>
#include <linux/skbuff.h>
#include <linux/workqueue.h>
#include <net/page_pool/helpers.h>

struct rust_helper_tso {
	u8 ipv6;		/* 0: IPv4, 1: IPv6 */
	u8 network_offset;	/* bytes from the start of the frame */
	u8 transport_offset;
	u8 header_len;		/* L2 to the end of the TCP header */
};

/* device.c */
bool rust_helper_device_trylock(struct device *dev);
void rust_helper_device_unlock(struct device *dev);
void rust_helper_dev_pm_set_driver_flags(struct device *dev, u32 flags);

/* dim.c */
void rust_helper_dim_init(struct dim *dim, work_func_t func);
void rust_helper_dim_reset(struct dim *dim);
void rust_helper_dim_measure(struct dim *dim);
void rust_helper_dim_sample(struct dim *dim, bool anew, u16 events,
			    u64 packets, u64 bytes);

/* dma.c */
dma_addr_t rust_helper_dma_map_single(struct device *dev, void *ptr,
				      size_t size,
				      enum dma_data_direction dir);
void rust_helper_dma_unmap_single(struct device *dev, dma_addr_t addr,
				  size_t size, enum dma_data_direction dir);
dma_addr_t rust_helper_skb_frag_dma_map(struct device *dev,
					const skb_frag_t *frag, size_t offset,
					size_t size,
					enum dma_data_direction dir);
void rust_helper_dma_unmap_page(struct device *dev, dma_addr_t addr,
				size_t size, enum dma_data_direction dir);
int rust_helper_dma_mapping_error(struct device *dev, dma_addr_t addr);

/* netdevice.c */
void rust_helper_netif_napi_add_config(struct net_device *dev,
				       struct napi_struct *napi,
				       int (*poll)(struct napi_struct *napi, int budget),
				       int index);
void rust_helper_netif_napi_del(struct napi_struct *napi);
void rust_helper_netif_napi_set_irq(struct napi_struct *napi, int irq);
void rust_helper_netif_addr_lock_bh(struct net_device *dev);
void rust_helper_netif_addr_unlock_bh(struct net_device *dev);
void rust_helper_netif_tx_lock_bh(struct netdev_queue *txq);
void rust_helper_netif_tx_unlock_bh(struct netdev_queue *txq);
void rust_helper_netif_tx_stop_queue(struct netdev_queue *txq);
void rust_helper_netif_tx_start_queue(struct netdev_queue *txq);
void rust_helper_netif_tx_disable(struct net_device *dev);
void rust_helper_netif_tx_wake_all_queues(struct net_device *dev);
bool rust_helper_netdev_tx_sent_queue(struct netdev_queue *txq,
				      unsigned int bytes, bool xmit_more);
void rust_helper_netdev_tx_completed_queue(struct netdev_queue *txq,
					   unsigned int pkts,
					   unsigned int bytes);
void rust_helper_netdev_tx_reset_queue(struct netdev_queue *txq);
bool rust_helper_netdev_xmit_more(void);
bool rust_helper_netif_device_present(const struct net_device *dev);
bool rust_helper_netif_running(const struct net_device *dev);
bool rust_helper_netif_carrier_ok(const struct net_device *dev);
bool rust_helper_netif_is_rxfh_configured(const struct net_device *dev);
void rust_helper_netdev_init_flags(struct net_device *dev);
struct mii_ioctl_data *rust_helper_if_mii(struct ifreq *ifr);

/* page_pool.c */
struct page_pool *
rust_helper_page_pool_create(struct device *dev, struct net_device *netdev,
			     u32 size, u32 offset, u32 max_len);
struct page *rust_helper_page_pool_dev_alloc_pages(struct page_pool *pool);
void rust_helper_page_pool_put_full_page(struct page *page);
dma_addr_t rust_helper_page_pool_get_dma_addr(const struct page *page);
void rust_helper_page_pool_dma_sync_for_cpu(const struct page *page,
					    u32 offset, u32 size);

/* pci.c */
int rust_helper_pcie_capability_clear_word(struct pci_dev *dev, int pos,
					   u16 clear);

bool rust_helper_pci_unreachable(struct pci_dev *dev);

/* pm_qos.c */
void rust_helper_cpu_latency_qos_add_request(struct pm_qos_request *req,
					     s32 value);
void rust_helper_cpu_latency_qos_update_request(struct pm_qos_request *req,
						s32 new_value);
void rust_helper_cpu_latency_qos_remove_request(struct pm_qos_request *req);

/* pm_runtime.c */
int rust_helper_pm_runtime_resume_and_get(struct device *dev);
int rust_helper_pm_runtime_get_sync(struct device *dev);
void rust_helper_pm_runtime_put_autosuspend(struct device *dev);
void rust_helper_pm_runtime_put_sync(struct device *dev);
void rust_helper_pm_runtime_get_noresume(struct device *dev);
void rust_helper_pm_runtime_put_noidle(struct device *dev);
void rust_helper_pm_runtime_mark_last_busy(struct device *dev);
void rust_helper_pm_runtime_set_autosuspend_delay(struct device *dev,
						  int delay);
void rust_helper_pm_runtime_use_autosuspend(struct device *dev);
void rust_helper_pm_runtime_dont_use_autosuspend(struct device *dev);

/* pm_wakeup.c */
bool rust_helper_device_can_wakeup(struct device *dev);
bool rust_helper_device_may_wakeup(struct device *dev);

/* ptp.c */
struct ptp_clock *rust_helper_ptp_clock_register(struct ptp_clock_info *info,
						 struct device *parent);
int rust_helper_ptp_clock_unregister(struct ptp_clock *ptp);
int rust_helper_ptp_clock_index(struct ptp_clock *ptp);
int rust_helper_ptp_schedule_worker(struct ptp_clock *ptp,
				    unsigned long delay);
void rust_helper_ptp_read_system_prets(struct ptp_system_timestamp *sts);
void rust_helper_ptp_read_system_postts(struct ptp_system_timestamp *sts);

/* ratelimit.c */
void rust_helper_ratelimit_default_init(struct ratelimit_state *rs);

/* skbuff.c */
struct sk_buff *rust_helper_napi_build_skb_page(struct page *page,
						u32 headroom, u32 len);
void rust_helper_skb_add_rx_frag(struct sk_buff *skb, struct page *page,
				 int offset, int size,
				 unsigned int truesize);
void rust_helper_napi_gro_receive(struct napi_struct *napi,
				  struct sk_buff *skb, u16 queue,
				  bool checksum_ok);
void rust_helper_skb_set_hash(struct sk_buff *skb, u32 hash, bool l4);
void rust_helper_skb_put_vlan_tag(struct sk_buff *skb, u16 tci);
unsigned int rust_helper_skb_tcp_all_headers(const struct sk_buff *skb);
struct skb_shared_info *rust_helper_skb_shinfo(const struct sk_buff *skb);
bool rust_helper_skb_checksum_partial(const struct sk_buff *skb, u32 *start,
				      u32 *field);
bool rust_helper_skb_shared(const struct sk_buff *skb);
int rust_helper_skb_put_padto(struct sk_buff *skb, unsigned int len);
void rust_helper_skb_tx_timestamp(struct sk_buff *skb);
struct sk_buff *rust_helper_skb_get(struct sk_buff *skb);
int rust_helper_skb_tso_prepare(struct sk_buff *skb,
				struct rust_helper_tso *tso);

/* workqueue.c */
void rust_helper_init_delayed_work(struct delayed_work *dwork,
				   work_func_t func);
bool rust_helper_kick_delayed_work(struct delayed_work *dwork);
bool rust_helper_arm_delayed_work(struct delayed_work *dwork,
				  unsigned int msecs);
bool rust_helper_disable_delayed_work_sync(struct delayed_work *dwork);

#endif /* E1000E_RUST_HELPERS_H */
