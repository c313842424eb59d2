/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Headers whose contents `bindgen` turns into Rust for the abstractions in
 * `rust/kernel`: what mainline's header of the same purpose lacks for a network
 * driver.
 *
 * Sorted alphabetically.
 */

/* Work around bindgen's forward reference to this enum, as mainline does. */
#include <linux/hrtimer_types.h>

#include <linux/dim.h>
#include <linux/dma-mapping.h>
#include <linux/etherdevice.h>
#include <linux/ethtool.h>
#include <linux/interrupt.h>
#include <linux/mii.h>
#include <linux/net_tstamp.h>
#include <linux/netdevice.h>
#include <linux/pci.h>
#include <linux/pm_qos.h>
#include <linux/ptp_clock_kernel.h>
#include <linux/ratelimit.h>
#include <linux/rtnetlink.h>
#include <linux/skbuff.h>
#include <linux/timekeeping.h>
#include <linux/workqueue.h>
#include <net/netdev_queues.h>
#include <net/page_pool/helpers.h>
#include <net/page_pool/types.h>

#include "../helpers/helpers.h"

/* Macros that bindgen cannot evaluate. */
const netdev_features_t RUST_CONST_HELPER_NETIF_F_SG = NETIF_F_SG;
const netdev_features_t RUST_CONST_HELPER_NETIF_F_HW_CSUM = NETIF_F_HW_CSUM;
const netdev_features_t RUST_CONST_HELPER_NETIF_F_RXCSUM = NETIF_F_RXCSUM;
const netdev_features_t RUST_CONST_HELPER_NETIF_F_TSO = NETIF_F_TSO;
const netdev_features_t RUST_CONST_HELPER_NETIF_F_TSO6 = NETIF_F_TSO6;
const netdev_features_t RUST_CONST_HELPER_NETIF_F_HIGHDMA = NETIF_F_HIGHDMA;
const netdev_features_t RUST_CONST_HELPER_NETIF_F_RXHASH = NETIF_F_RXHASH;
const netdev_features_t RUST_CONST_HELPER_NETIF_F_RXFCS = NETIF_F_RXFCS;
const netdev_features_t RUST_CONST_HELPER_NETIF_F_RXALL = NETIF_F_RXALL;
const netdev_features_t RUST_CONST_HELPER_NETIF_F_LOOPBACK = NETIF_F_LOOPBACK;
const netdev_features_t RUST_CONST_HELPER_NETIF_F_HW_VLAN_CTAG_RX =
	NETIF_F_HW_VLAN_CTAG_RX;
const netdev_features_t RUST_CONST_HELPER_NETIF_F_HW_VLAN_CTAG_TX =
	NETIF_F_HW_VLAN_CTAG_TX;
const netdev_features_t RUST_CONST_HELPER_NETIF_F_HW_VLAN_CTAG_FILTER =
	NETIF_F_HW_VLAN_CTAG_FILTER;
const u32 RUST_CONST_HELPER_IFF_ALLMULTI = IFF_ALLMULTI;
const u32 RUST_CONST_HELPER_IFF_PROMISC = IFF_PROMISC;
const size_t RUST_CONST_HELPER_NETDEV_ALIGN = SMP_CACHE_BYTES;
const size_t RUST_CONST_HELPER_PAGE_SIZE = PAGE_SIZE;
const u32 RUST_CONST_HELPER_L1_CACHE_BYTES = L1_CACHE_BYTES;
const u32 RUST_CONST_HELPER_SKB_SHINFO_ALIGNED =
	SKB_DATA_ALIGN(sizeof(struct skb_shared_info));
const u32 RUST_CONST_HELPER_ETH_RSS_HASH_TOP = ETH_RSS_HASH_TOP;
const u8 RUST_CONST_HELPER_SKBTX_HW_TSTAMP = SKBTX_HW_TSTAMP;
const u8 RUST_CONST_HELPER_SKBTX_IN_PROGRESS = SKBTX_IN_PROGRESS;
const u32 RUST_CONST_HELPER_ETHTOOL_COALESCE_USECS = ETHTOOL_COALESCE_USECS;
const u32 RUST_CONST_HELPER_ETHTOOL_COALESCE_USE_ADAPTIVE =
	ETHTOOL_COALESCE_USE_ADAPTIVE;
const u32 RUST_CONST_HELPER_DPM_FLAG_NO_DIRECT_COMPLETE =
	DPM_FLAG_NO_DIRECT_COMPLETE;
const u32 RUST_CONST_HELPER_ASPM_LINK_STATES = PCIE_LINK_STATE_L0S |
						PCIE_LINK_STATE_L1;
