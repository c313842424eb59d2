// SPDX-License-Identifier: GPL-2.0

#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/skbuff.h>
#include <linux/tcp.h>
#include <net/ip6_checksum.h>
#include <net/tcp.h>

/*
 * A socket buffer around a page of a page pool that holds @len bytes of a frame
 * from @headroom on.
 */
struct sk_buff *rust_helper_napi_build_skb_page(struct page *page,
						u32 headroom, u32 len)
{
	struct sk_buff *skb = napi_build_skb(page_address(page), PAGE_SIZE);

	if (likely(skb)) {
		skb_reserve(skb, headroom);
		__skb_put(skb, len);
		skb_mark_for_recycle(skb);
	}
	return skb;
}

void rust_helper_skb_add_rx_frag(struct sk_buff *skb, struct page *page,
				 int offset, int size, unsigned int truesize)
{
	skb_add_rx_frag(skb, skb_shinfo(skb)->nr_frags, page, offset, size,
			truesize);
}

/* Hands a frame that was received by @napi's device to the stack. */
void rust_helper_napi_gro_receive(struct napi_struct *napi,
				  struct sk_buff *skb, u16 queue,
				  bool checksum_ok)
{
	if (checksum_ok)
		skb->ip_summed = CHECKSUM_UNNECESSARY;
	skb->protocol = eth_type_trans(skb, napi->dev);
	skb_record_rx_queue(skb, queue);
	napi_gro_receive(napi, skb);
}

void rust_helper_skb_set_hash(struct sk_buff *skb, u32 hash, bool l4)
{
	skb_set_hash(skb, hash, l4 ? PKT_HASH_TYPE_L4 : PKT_HASH_TYPE_L3);
}

/* Notes the 802.1Q tag that the device has taken off. */
void rust_helper_skb_put_vlan_tag(struct sk_buff *skb, u16 tci)
{
	__vlan_hwaccel_put_tag(skb, htons(ETH_P_8021Q), tci);
}

unsigned int rust_helper_skb_tcp_all_headers(const struct sk_buff *skb)
{
	return skb_tcp_all_headers(skb);
}

struct skb_shared_info *rust_helper_skb_shinfo(const struct sk_buff *skb)
{
	return skb_shinfo(skb);
}

/*
 * Whether the stack left the checksum to the device; if so, where to start and
 * where to put it, in bytes from the start of the frame.
 */
bool rust_helper_skb_checksum_partial(const struct sk_buff *skb, u32 *start,
				      u32 *field)
{
	if (skb->ip_summed != CHECKSUM_PARTIAL)
		return false;
	*start = skb_checksum_start_offset(skb);
	*field = *start + skb->csum_offset;
	return true;
}

/*
 * Whether others have references to the skb: it must not be changed then, and
 * functions that would reallocate its data have a BUG_ON().
 */
bool rust_helper_skb_shared(const struct sk_buff *skb)
{
	return skb_shared(skb);
}

/* Does not free the skb on failure, such as -EBUSY if it is shared. */
int rust_helper_skb_put_padto(struct sk_buff *skb, unsigned int len)
{
	if (skb_shared(skb))
		return -EBUSY;
	return __skb_put_padto(skb, len, false);
}

void rust_helper_skb_tx_timestamp(struct sk_buff *skb)
{
	skb_tx_timestamp(skb);
}

struct sk_buff *rust_helper_skb_get(struct sk_buff *skb)
{
	return skb_get(skb);
}

/*
 * Prepares the headers of a TCP GSO frame as chips expect them whose
 * segmentation fills in lengths: the IP length is cleared and the TCP checksum
 * seeded with the pseudo header without the length. @tso tells where the
 * headers are.
 *
 * Return: 0; -EPROTONOSUPPORT if the frame is not TCP over IPv4 or IPv6 for
 * segmentation, its headers are not in the linear part or too long for a
 * byte-wide offset, or it is shared; -ENOMEM.
 */
int rust_helper_skb_tso_prepare(struct sk_buff *skb,
				struct rust_helper_tso *tso)
{
	unsigned int header_len;
	int offset, err;

	if (!skb_is_gso(skb) || skb_shared(skb) ||
	    !skb_transport_header_was_set(skb) ||
	    !(skb_shinfo(skb)->gso_type & (SKB_GSO_TCPV4 | SKB_GSO_TCPV6)))
		return -EPROTONOSUPPORT;

	offset = skb_transport_offset(skb);
	if (offset < 0 || offset + sizeof(struct tcphdr) > skb_headlen(skb))
		return -EPROTONOSUPPORT;

	header_len = skb_tcp_all_headers(skb);
	if (header_len > U8_MAX || header_len > skb_headlen(skb))
		return -EPROTONOSUPPORT;

	err = skb_cow_head(skb, 0);
	if (err)
		return err;

	if (skb_is_gso_v6(skb)) {
		tso->ipv6 = 1;
		tcp_v6_gso_csum_prep(skb);
	} else {
		struct iphdr *iph = ip_hdr(skb);

		tso->ipv6 = 0;
		iph->tot_len = 0;
		iph->check = 0;
		tcp_hdr(skb)->check = ~csum_tcpudp_magic(iph->saddr, iph->daddr,
							 0, IPPROTO_TCP, 0);
	}

	tso->network_offset = skb_network_offset(skb);
	tso->transport_offset = offset;
	tso->header_len = header_len;
	return 0;
}
