// SPDX-License-Identifier: GPL-2.0

//! Network devices: a driver's callbacks, the contexts they run in, and who owns what in them.
//!
//! C header: [`include/linux/netdevice.h`](srctree/include/linux/netdevice.h),
//! contexts: `Documentation/networking/netdevices.rst`.
//!
//! A driver's state is split by who may touch it, and each part is only ever handed to that one:
//!
//! | state | who gets it | why it is alone |
//! |---|---|---|
//! | the driver's type itself | every callback, shared | it is [`Sync`] |
//! | [`Operations::Tx`] | [`Operations::start_xmit`], `&mut` | the transmit queue's lock |
//! | [`Operations::Poll`] | [`Operations::poll`], `&mut` | NAPI runs an instance once at a time |
//! | both, as [`Channel`]s | whoever holds the RTNL, owned | the channels are stopped |
//!
//! [`Device::start_channels`] and [`Device::stop_channels`] move the parts between the last row and
//! the two above; there is no other way, so there is no moment at which two of them overlap.

use crate::{
    net::{
        dim::{
            Dim,
            Direction, //
        },
        ethtool,
        hwtstamp,
        irq::{
            HardIrq,
            Mode,
            Vectors, //
        },
        napi::{
            PollContext,
            Polled, //
        },
        qstats::{
            self,
            Counters, //
        },
        rtnl::{
            Rtnl,
            RtnlCell, //
        },
        skbuff::{
            DropReason,
            SkBuff, //
        },
        txq::XmitQueue, //
    },
    page_pool::PagePool,
    pm::runtime,
    ptp, //
};
use bindings_ext as bindings;
use core::{
    cell::UnsafeCell,
    marker::PhantomData,
    ptr::NonNull, //
};
use kernel::{
    container_of,
    cpu::{
        self,
        CpuId, //
    },
    cpumask::CpumaskVar,
    device::{
        self,
        Bound,
        Core, //
    },
    error::{
        from_result,
        to_result, //
    },
    fmt,
    irq::IrqReturn,
    pci,
    prelude::*,
    sync::{
        atomic::{
            Acquire,
            AtomicFlag,
            Release, //
        },
        Arc, //
    },
    types::Opaque, //
};

/// An Ethernet address.
pub type MacAddress = [u8; bindings::ETH_ALEN as usize];

/// Offload features (`netdev_features_t`) as a set.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Features(u64);

impl Features {
    /// Scatter-gather: frames in fragments.
    pub const SG: Self = Self(bindings::NETIF_F_SG);
    /// Any transport checksum on transmission, given start and place.
    pub const HW_CSUM: Self = Self(bindings::NETIF_F_HW_CSUM);
    /// Checksum verification on reception.
    pub const RXCSUM: Self = Self(bindings::NETIF_F_RXCSUM);
    /// TCP segmentation over IPv4.
    pub const TSO: Self = Self(bindings::NETIF_F_TSO);
    /// TCP segmentation over IPv6.
    pub const TSO6: Self = Self(bindings::NETIF_F_TSO6);
    /// Buffers anywhere in memory.
    pub const HIGHDMA: Self = Self(bindings::NETIF_F_HIGHDMA);
    /// The hash over a received frame's addresses is handed on.
    pub const RXHASH: Self = Self(bindings::NETIF_F_RXHASH);
    /// The device takes VLAN tags off received frames.
    pub const VLAN_RX: Self = Self(bindings::NETIF_F_HW_VLAN_CTAG_RX);
    /// The device puts VLAN tags into frames to be sent.
    pub const VLAN_TX: Self = Self(bindings::NETIF_F_HW_VLAN_CTAG_TX);
    /// The device drops frames of VLANs that nobody has asked for.
    pub const VLAN_FILTER: Self = Self(bindings::NETIF_F_HW_VLAN_CTAG_FILTER);
    /// Received frames keep their FCS.
    pub const RXFCS: Self = Self(bindings::NETIF_F_RXFCS);
    /// Damaged frames are handed on too.
    pub const RXALL: Self = Self(bindings::NETIF_F_RXALL);

    /// What is sent comes back, and does not leave.
    pub const LOOPBACK: Self = Self(bindings::NETIF_F_LOOPBACK);

    /// No features.
    pub const NONE: Self = Self(0);

    /// This set and `other`.
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// This set less `other`.
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether all of `other` is in this set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// What a driver says of its device when it is registered.
pub struct Config {
    /// The permanent address.
    pub mac: MacAddress,
    /// Largest MTU in bytes.
    pub max_mtu: u32,
    /// Features that the user may switch and that are on at first.
    pub features: Features,
    /// Features that the user may switch and that are off at first.
    pub more_features: Features,
    /// Features that are always on.
    pub fixed_features: Features,
    /// How long a stopped transmit queue may stay so before [`Operations::tx_timeout`], in
    /// milliseconds.
    pub tx_timeout_ms: u32,
}

/// Why a device is let go of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Suspend {
    /// The system goes to sleep or is shut down; the device may be the one to wake it.
    Sleep,
    /// It is reset, by the user or after an error of the bus.
    Reset,
}

/// Counters kept by the hardware, added to those that the rings count.
#[derive(Clone, Copy, Default)]
pub struct HardwareStats {
    /// Received frames with errors of any kind.
    pub rx_errors: u64,
    /// Received frames of a bad length.
    pub rx_length_errors: u64,
    /// Received frames with a bad CRC.
    pub rx_crc_errors: u64,
    /// Received frames with bad alignment.
    pub rx_frame_errors: u64,
    /// Frames lost because there was no buffer.
    pub rx_missed_errors: u64,
    /// Frames the driver dropped on reception.
    pub rx_dropped: u64,
    /// Received multicast frames.
    pub multicast: u64,
    /// Frames not sent because of errors.
    pub tx_errors: u64,
    /// Frames the driver dropped instead of sending.
    pub tx_dropped: u64,
    /// Frames given up after too many collisions.
    pub tx_aborted_errors: u64,
    /// Frames given up after a late collision.
    pub tx_window_errors: u64,
    /// Times the carrier was lost.
    pub tx_carrier_errors: u64,
    /// Collisions.
    pub collisions: u64,
}

/// Which frames are to be received, beside those for the device's own address.
pub struct RxMode<'a> {
    /// All frames.
    pub promiscuous: bool,
    /// All multicast frames.
    pub all_multicast: bool,
    unicast: &'a bindings::netdev_hw_addr_list,
    multicast: &'a bindings::netdev_hw_addr_list,
}

impl<'a> RxMode<'a> {
    fn new(
        flags: u32,
        unicast: &'a bindings::netdev_hw_addr_list,
        multicast: &'a bindings::netdev_hw_addr_list,
    ) -> Self {
        Self {
            promiscuous: flags & bindings::IFF_PROMISC != 0,
            all_multicast: flags & bindings::IFF_ALLMULTI != 0,
            unicast,
            multicast,
        }
    }

    /// Further unicast addresses.
    pub fn unicast(&self) -> impl Iterator<Item = MacAddress> + '_ {
        AddressIter::new(self.unicast)
    }

    /// Multicast addresses.
    pub fn multicast(&self) -> impl Iterator<Item = MacAddress> + '_ {
        AddressIter::new(self.multicast)
    }
}

/// Walks a list of addresses that does not change meanwhile.
struct AddressIter<'a> {
    head: *const bindings::list_head,
    next: *const bindings::list_head,
    _list: PhantomData<&'a bindings::netdev_hw_addr_list>,
}

impl<'a> AddressIter<'a> {
    fn new(list: &'a bindings::netdev_hw_addr_list) -> Self {
        Self {
            head: &list.list,
            next: list.list.next,
            _list: PhantomData,
        }
    }
}

impl Iterator for AddressIter<'_> {
    type Item = MacAddress;

    fn next(&mut self) -> Option<MacAddress> {
        if core::ptr::eq(self.head, self.next) {
            return None;
        }
        // SAFETY: Every element of the list but its head is in a `struct netdev_hw_addr`, and the
        // list does not change while it is borrowed.
        let entry = unsafe { &*container_of!(self.next, bindings::netdev_hw_addr, list) };
        self.next = entry.list.next;
        let mut mac = MacAddress::default();
        mac.iter_mut()
            .zip(entry.addr)
            .for_each(|(to, from)| *to = from);
        Some(mac)
    }
}

/// The rings of one channel: what its transmit queue and its NAPI instance own.
pub struct Channel<T: Operations> {
    /// Given to [`Operations::start_xmit`].
    pub tx: T::Tx,
    /// Given to [`Operations::poll`].
    pub poll: T::Poll,
    /// Where the buffers to receive into come from; the channel's alone.
    pub pool: Arc<PagePool>,
}

/// A network driver's callbacks.
///
/// The implementing type is the state of one device that every callback shares.
pub trait Operations: Send + Sync + Sized {
    /// What only the transmit queue's lock holder may touch.
    type Tx: Send;

    /// What only the poll of the channel may touch.
    type Poll: Send;

    /// Most channels, each a transmit queue, a receive queue and a NAPI instance.
    const CHANNELS: u32;

    /// Describes the device. Called once, before it is registered.
    fn config(&self) -> Config;

    /// Brings the interface up; ends with [`Device::start_channels`]. Process context.
    fn open(dev: &Device<Self>, rtnl: &mut Rtnl) -> Result;

    /// Takes the interface down, beginning with [`Device::stop_channels`]. Cannot fail. Process
    /// context. Channels and interrupt vectors that are still there afterwards are taken down by
    /// the abstraction.
    fn stop(dev: &Device<Self>, rtnl: &mut Rtnl);

    /// Lets go of the device, which is about to lose its power or to be reset, with the interface
    /// up or down: it is not touched until [`Operations::resume`]. Process context. Channels and
    /// vectors that are still there afterwards are taken down by the abstraction.
    ///
    /// A device that may wake the system (`pci::wake`) is to be told now what to wake it for.
    fn suspend(dev: &Device<Self>, rtnl: &mut Rtnl, why: Suspend);

    /// Brings the device back to where [`Operations::suspend`] found it; nothing of what it was
    /// told before need still be there. Process context, possibly with `pci_bus_sem` held. After
    /// an error the interface stays away until the driver is bound anew.
    fn resume(dev: &Device<Self>, rtnl: &mut Rtnl) -> Result;

    /// Lets go of the device, which nobody uses: the interface is down. It is about to lose its
    /// power, and not to be touched until [`Operations::runtime_resume`].
    ///
    /// What is called while the interface is down must leave the device alone, or wake it up first
    /// ([`pm::runtime::awake`](crate::pm::runtime::awake)). The ethtool core does so for its
    /// operations, and this module for [`Operations::open`] and [`Operations::mii_read`]. Process
    /// context, without the RTNL, which must not be taken: its holder may be waiting for this.
    fn runtime_suspend(dev: &Device<Self>);

    /// The device has its power back; nothing of what it was told before need still be there. The
    /// interface may be about to be brought up. Process context, with or without the RTNL and
    /// `pci_bus_sem`, neither of which must be taken.
    fn runtime_resume(dev: &Device<Self>);

    /// Lets go of the device for good: it is not, or no longer, registered, and down. Process
    /// context.
    fn remove(&self);

    /// Queues a frame for transmission; `more` says that another follows at once. Bottom halves
    /// are off, interrupts may be.
    ///
    /// A frame that cannot be sent is dropped, not given back. Only one for which there is no room
    /// although the queue was not stopped, which should not happen, is given back to be queued
    /// again.
    fn start_xmit(
        dev: &Device<Self>,
        tx: &mut Self::Tx,
        queue: &XmitQueue<'_>,
        skb: SkBuff,
        more: bool,
    ) -> Result<(), SkBuff>;

    /// Processes what the chip has done on a channel.
    fn poll(dev: &Device<Self>, poll: &mut Self::Poll, ctx: &PollContext<'_>) -> Polled;

    /// Arms the interrupt of `channel` again, once a poll has found nothing more to do.
    fn rearm(dev: &Device<Self>, channel: usize);

    /// Handles an interrupt of `vector`. Hard interrupt context.
    fn interrupt(dev: &Device<Self>, vector: usize, ctx: &HardIrq<'_>) -> IrqReturn;

    /// The time between interrupts that [`Device::adaptive_usecs`] tells of a queue of `channel`
    /// has changed, while it was adaptive. Process context, with the channels running: nothing may
    /// be waited for that waits for them to stop.
    fn moderate(dev: &Device<Self>, channel: usize, direction: Direction);

    /// Looks after the device, as asked for by [`Device::kick_service`] or
    /// [`Device::arm_service`]. Process context, never twice at a time.
    fn service(dev: &Device<Self>);

    /// Tells the hardware's counters. Atomic context: they must be at hand.
    fn stats(dev: &Device<Self>) -> HardwareStats;

    /// Takes note of which frames are wanted. Under the RTNL, in any state of the interface; must
    /// not sleep.
    fn note_rx_mode(dev: &Device<Self>, rtnl: &mut Rtnl, mode: &RxMode<'_>);

    /// Sets the receive filters to what was noted last. Process context; tried again later if it
    /// fails.
    fn set_rx_mode(dev: &Device<Self>, rtnl: &mut Rtnl) -> Result;

    /// Sets the device's own address, which is valid. Process context.
    fn set_mac_address(dev: &Device<Self>, rtnl: &mut Rtnl, mac: &MacAddress) -> Result;

    /// Takes away from `wanted` what does not go together, or does not go now. Under the RTNL, any
    /// state of the interface. See `Documentation/networking/netdev-features.rst`.
    fn fix_features(dev: &Device<Self>, rtnl: &mut Rtnl, wanted: Features) -> Features;

    /// Switches features; [`Device::features`] still tells the old ones. Process context. After an
    /// error the old ones stay.
    fn set_features(dev: &Device<Self>, rtnl: &mut Rtnl, features: Features) -> Result;

    /// Takes away from `features` what the chip cannot do for this very frame, which the stack then
    /// does. Called for each frame; any context.
    fn features_check(dev: &Device<Self>, skb: &SkBuff, features: Features) -> Features;

    /// Begins to receive frames of VLAN `vid`, from 0 to 4095. Process context.
    fn add_vlan(dev: &Device<Self>, rtnl: &mut Rtnl, vid: u16) -> Result;

    /// Ends receiving frames of VLAN `vid`. Process context.
    fn remove_vlan(dev: &Device<Self>, rtnl: &mut Rtnl, vid: u16) -> Result;

    /// Adapts to a new MTU, which [`Device::mtu`] already tells and which is set back if this
    /// fails. Process context.
    fn mtu_changed(dev: &Device<Self>, rtnl: &mut Rtnl) -> Result;

    /// A transmit queue has been stopped for too long. Softirq context.
    fn tx_timeout(dev: &Device<Self>, queue: usize);

    /// The address of the PHY, for `SIOCGMIIPHY`.
    fn mii_address(&self) -> u8;

    /// Reads a PHY register, for `SIOCGMIIREG`. Process context.
    fn mii_read(dev: &Device<Self>, rtnl: &mut Rtnl, register: u8) -> Result<u16>;
}

/// The processors of channel `index`, as all are shared out among `count` channels.
fn share(index: usize, count: usize) -> Result<CpumaskVar> {
    let mut cpus = CpumaskVar::new_zero(GFP_KERNEL)?;
    for cpu in (0..cpu::nr_cpu_ids()).filter_map(CpuId::from_u32) {
        if (cpu.as_u32() as usize).checked_rem(count) == Some(index) {
            cpus.set(cpu);
        }
    }
    Ok(cpus)
}

/// One channel's place in the device.
///
/// # Invariants
///
/// - `napi` is registered with the device from its creation to its end.
/// - `poll` is touched by the poll of `napi`, or, while `napi` is disabled, by the holder of the
///   RTNL. The pool in it is taken, and has been told of `napi`.
/// - `tx` is touched by the holder of the lock of transmit queue `index`.
/// - `rx_dim` and `tx_dim` are initialised with `napi`, and their work items do not run unless
///   `napi` is enabled or the RTNL held.
#[repr(C, align(64))]
struct Slot<T: Operations> {
    napi: Opaque<bindings::napi_struct>,
    index: usize,
    counters: Counters,
    rx_dim: Dim,
    tx_dim: Dim,
    /// The processors that are to handle its interrupts, as they are shared out among all channels,
    /// used or not.
    cpus: CpumaskVar,
    /// Somebody polls it.
    polled: AtomicFlag,
    poll: UnsafeCell<Option<(T::Poll, Arc<PagePool>)>>,
    tx: UnsafeCell<Option<T::Tx>>,
}

/// What follows `struct net_device` in memory.
///
/// Dropped in this order: the clock, whose callbacks use `data`, and interrupts first.
struct Private<T: Operations> {
    /// The device's clock. Set before the net device is registered, and not touched until it is
    /// unregistered; lives no longer than `data`.
    clock: Option<ptp::Registration>,
    vectors: RtnlCell<Vectors<T>>,
    slots: KVec<Slot<T>>,
    service: Opaque<bindings::delayed_work>,
    pdev: NonNull<bindings::pci_dev>,
    /// The empty vector that running channels came in, kept so that stopping needs no memory.
    running: RtnlCell<Option<KVec<Channel<T>>>>,
    /// How many channels there were when they were last started; the processors are shared out
    /// among so many.
    count: RtnlCell<usize>,
    netdev: NonNull<bindings::net_device>,
    data: T,
}

/// A network device whose driver is `T`.
///
/// Only ever seen behind a reference, in callbacks.
///
/// # Invariants
///
/// The net device was made by [`Registration::new`] for the same `T`, its private data is
/// initialised and stays so for as long as the reference; its parent is a bound PCI device.
#[repr(transparent)]
pub struct Device<T: Operations>(Opaque<bindings::net_device>, PhantomData<T>);

impl<T: Operations> Device<T> {
    /// # Safety
    ///
    /// `dev` must be as the type invariants say for `'a`.
    #[inline]
    pub(crate) unsafe fn from_raw<'a>(dev: NonNull<bindings::net_device>) -> &'a Self {
        // SAFETY: As the caller vouches; the type is transparent.
        unsafe { dev.cast().as_ref() }
    }

    #[inline]
    pub(crate) fn as_raw(&self) -> *mut bindings::net_device {
        self.0.get()
    }

    /// Where the private data of `dev` begins, as `netdev_priv()`.
    #[inline]
    fn private_of(dev: *mut bindings::net_device) -> *mut Private<T> {
        // SAFETY: `dev` is a net device allocated with room for the private data behind it.
        unsafe { core::ptr::addr_of_mut!((*dev).priv_).cast() }
    }

    #[inline]
    fn private(&self) -> &Private<T> {
        // SAFETY: By the type invariants the private data is initialised.
        unsafe { &*Self::private_of(self.as_raw()) }
    }

    /// The driver's shared state.
    #[inline]
    pub fn data(&self) -> &T {
        &self.private().data
    }

    /// The PCI function, which is bound for as long as the net device can be seen.
    #[inline]
    pub fn parent(&self) -> &pci::Device<Bound> {
        // SAFETY: By the type invariants the parent is a valid PCI device, and bound; the type is
        // transparent over `struct pci_dev`.
        unsafe { self.private().pdev.cast().as_ref() }
    }

    /// The name, for messages; it may change at any time.
    pub fn name(&self) -> Name {
        let mut name = [0; bindings::IFNAMSIZ as usize];
        // SAFETY: The net device is valid.
        let from = unsafe { core::ptr::addr_of!((*self.as_raw()).name) }.cast::<c_char>();
        for (i, to) in name.iter_mut().enumerate() {
            // SAFETY: The name is an array of `IFNAMSIZ` characters. A rename in between may show
            // parts of both names.
            *to = unsafe { from.add(i).read_volatile() };
        }
        Name(name)
    }

    /// The MTU in bytes.
    #[inline]
    pub fn mtu(&self) -> u32 {
        // SAFETY: The net device is valid.
        unsafe { core::ptr::addr_of!((*self.as_raw()).mtu).read_volatile() }
    }

    /// The address in use. Under the RTNL, which is what changes it.
    pub fn mac_address(&self, _: &Rtnl) -> MacAddress {
        let mut mac = MacAddress::default();
        // SAFETY: The net device is valid; its address has at least `ETH_ALEN` bytes and is not
        // changed while the RTNL is held.
        let addr = unsafe { core::slice::from_raw_parts((*self.as_raw()).dev_addr, mac.len()) };
        mac.copy_from_slice(addr);
        mac
    }

    /// The offloads that are switched on.
    #[inline]
    pub fn features(&self) -> Features {
        // SAFETY: The net device is valid.
        Features(unsafe { core::ptr::addr_of!((*self.as_raw()).features).read_volatile() })
    }

    /// Whether the stack has the device, rather than sleep or recovery.
    pub(crate) fn is_present(&self, _: &Rtnl) -> bool {
        // SAFETY: The net device is valid.
        unsafe { bindings::rust_helper_netif_device_present(self.as_raw()) }
    }

    /// Whether the interface is administratively up.
    pub fn is_running(&self) -> bool {
        // SAFETY: The net device is valid.
        unsafe { bindings::rust_helper_netif_running(self.as_raw()) }
    }

    /// Sets the receive filters anew: the stack has not told of changes while it did not have the
    /// device (`netif_rx_mode_run()`).
    fn renew_rx_mode(&self, rtnl: &mut Rtnl) {
        let dev = self.as_raw();
        // SAFETY: The net device is valid, and its lists do not change while they are locked.
        unsafe {
            bindings::rust_helper_netif_addr_lock_bh(dev);
            let mode = RxMode::new((*dev).flags, &(*dev).uc, &(*dev).mc);
            T::note_rx_mode(self, rtnl, &mode);
            bindings::rust_helper_netif_addr_unlock_bh(dev);
        }
        // Of a device that does not take them the driver's service tells.
        let _ = T::set_rx_mode(self, rtnl);
    }

    /// Says that there is a link. Any context.
    pub fn carrier_on(&self) {
        // SAFETY: The net device is valid.
        unsafe { bindings::netif_carrier_on(self.as_raw()) };
    }

    /// Says that there is no link. Any context.
    pub fn carrier_off(&self) {
        // SAFETY: The net device is valid.
        unsafe { bindings::netif_carrier_off(self.as_raw()) };
    }

    /// Whether there is said to be a link.
    pub fn carrier_ok(&self) -> bool {
        // SAFETY: The net device is valid.
        unsafe { bindings::rust_helper_netif_carrier_ok(self.as_raw()) }
    }

    /// Runs [`Operations::service`] as soon as possible, even if it is armed for later. Any
    /// context.
    pub fn kick_service(&self) {
        // SAFETY: The work is initialised for as long as the device exists.
        unsafe { bindings::rust_helper_kick_delayed_work(self.private().service.get()) };
    }

    /// Runs [`Operations::service`] in `ms` milliseconds, unless it is armed already. Any context.
    pub fn arm_service(&self, ms: u32) {
        // SAFETY: The work is initialised for as long as the device exists.
        unsafe { bindings::rust_helper_arm_delayed_work(self.private().service.get(), ms) };
    }

    /// The registration of the device's clock, if it has one.
    #[inline]
    pub fn clock(&self) -> Option<&ptp::Registration> {
        self.private().clock.as_ref()
    }

    /// Has `channel` polled. From its interrupt handler; does nothing while it is stopped.
    #[inline]
    pub fn schedule_poll(&self, channel: usize, _: &HardIrq<'_>) {
        let Some(napi) = self.napi_ptr(channel) else {
            return;
        };
        // SAFETY: The NAPI instance is registered; interrupts are off in a hard interrupt handler.
        unsafe {
            if bindings::napi_schedule_prep(napi) {
                bindings::__napi_schedule_irqoff(napi);
            }
        }
    }

    #[inline]
    pub(crate) fn napi_ptr(&self, channel: usize) -> Option<*mut bindings::napi_struct> {
        self.private()
            .slots
            .get(channel)
            .map(|slot| slot.napi.get())
    }

    /// Allocates and requests exactly `count` interrupt vectors. Process context.
    ///
    /// Returns [`ENOSPC`] if the function or the system does not have as many, [`EBUSY`] if there
    /// are vectors already that have not been released.
    pub fn request_vectors(&self, rtnl: &mut Rtnl, mode: Mode, count: usize) -> Result {
        let private = self.private();
        // SAFETY: The device is this `Device<T>`, which owns the vectors.
        unsafe {
            private
                .vectors
                .get_mut(rtnl)
                .request(private.netdev, mode, count)
        }
    }

    /// Frees the interrupts of all vectors, waiting for their handlers. Process context.
    ///
    /// The vectors stay with the function, so that what the user has set for their interrupts
    /// (`/proc/irq/*/smp_affinity`) holds when they are requested again.
    pub fn release_vectors(&self, rtnl: &mut Rtnl) {
        for slot in &self.private().slots {
            // SAFETY: The NAPI instance is registered.
            unsafe { bindings::rust_helper_netif_napi_set_irq(slot.napi.get(), -1) };
        }
        self.private().vectors.get_mut(rtnl).release();
    }

    /// Releases all interrupt vectors and gives them back, so that the next that are requested are
    /// set up from scratch. Process context.
    pub fn free_vectors(&self, rtnl: &mut Rtnl) {
        self.release_vectors(rtnl);
        self.private().vectors.get_mut(rtnl).free();
    }

    /// Number of interrupt vectors requested.
    pub fn vectors(&self, rtnl: &Rtnl) -> usize {
        self.private().vectors.get(rtnl).len()
    }

    /// Tells the stack, and through it the user, that `vector` serves `channel`: its receive
    /// queue, if it has several. Once the channels are started.
    pub fn link_vector(&self, rtnl: &Rtnl, channel: usize, vector: usize) {
        let irq = self.private().vectors.get(rtnl).irq(vector);
        let irq = irq.and_then(|irq| c_int::try_from(irq).ok());
        if let (Some(napi), Some(irq)) = (self.napi_ptr(channel), irq) {
            // SAFETY: The NAPI instance is registered; the interrupt is requested.
            unsafe { bindings::rust_helper_netif_napi_set_irq(napi, irq) };
        }
    }

    /// Tells the user that `vector` is best handled by the processors of `channel`, whether it is
    /// used or not, and has it handled there unless the user may have had a say: once it has been
    /// released. It is a hint, and fails silently.
    pub fn hint_vector(&self, rtnl: &Rtnl, channel: usize, vector: usize) {
        let private = self.private();
        if let Some(slot) = private.slots.get(channel) {
            // SAFETY: The mask is in a slot, which outlives the vectors, and is never changed.
            unsafe { private.vectors.get(rtnl).hint(vector, &slot.cpus) };
        }
    }

    /// Whether the user has set the indirection table of receive side scaling.
    pub fn rss_configured(&self, _: &Rtnl) -> bool {
        // SAFETY: The net device is valid, and the RTNL held, which is what changes the flag.
        unsafe { bindings::rust_helper_netif_is_rxfh_configured(self.as_raw()) }
    }

    /// Has the stack ask [`Operations::fix_features`] again. Process context.
    pub fn update_features(&self, _: &mut Rtnl) {
        // SAFETY: The net device is valid, and the RTNL held. The callbacks that this leads to
        // make a token of their own while the caller's is borrowed.
        unsafe { bindings::netdev_update_features(self.as_raw()) };
    }

    fn dim(&self, channel: usize, direction: Direction) -> Option<&Dim> {
        let slot = self.private().slots.get(channel)?;
        Some(match direction {
            Direction::Rx => &slot.rx_dim,
            Direction::Tx => &slot.tx_dim,
        })
    }

    /// Has the kernel find out how long a queue of `channel` is best kept waiting for an interrupt,
    /// or no longer; [`Operations::moderate`] hears of it for as long as the channels run. Any
    /// context.
    pub fn set_adaptive(&self, channel: usize, direction: Direction, on: bool) {
        if let Some(dim) = self.dim(channel, direction) {
            dim.set(on);
        }
    }

    /// The least time between two interrupts of a queue of `channel`, in microseconds, that the
    /// kernel thinks best for now. Any context.
    pub fn adaptive_usecs(&self, channel: usize, direction: Direction) -> Option<u32> {
        self.dim(channel, direction).map(|dim| dim.usecs().into())
    }

    #[inline]
    pub(crate) fn counters(&self, channel: usize) -> Option<&Counters> {
        self.private().slots.get(channel).map(|slot| &slot.counters)
    }

    /// Transmit queue `index`.
    fn tx_queue(&self, index: usize) -> Option<NonNull<bindings::netdev_queue>> {
        if index >= T::CHANNELS as usize {
            return None;
        }
        // SAFETY: The net device was allocated with `CHANNELS` transmit queues.
        NonNull::new(unsafe { (*self.as_raw())._tx.add(index) })
    }

    /// Gives the channels to their transmit queues and NAPI instances and starts these; the device
    /// has as many queues from now on.
    ///
    /// Returns the channels if some are running already, if there are none or more than
    /// [`Operations::CHANNELS`], if two have the same pool, or if memory is short. Process context.
    /// Transmission begins once there is a carrier.
    pub fn start_channels(
        &self,
        rtnl: &mut Rtnl,
        mut channels: KVec<Channel<T>>,
    ) -> Result<(), KVec<Channel<T>>> {
        let private = self.private();
        let count = channels.len();
        let running = private.running.get(rtnl).is_some();
        if running || count == 0 || count > private.slots.len() || self.spread(rtnl, count).is_err()
        {
            return Err(channels);
        }
        let taken = channels.iter().take_while(|one| one.pool.take()).count();
        if taken < count {
            for channel in channels.iter().take(taken) {
                // SAFETY: It was taken above, for nothing yet.
                unsafe { channel.pool.give_back() };
            }
            return Err(channels);
        }
        for slot in private.slots.iter().take(count).rev() {
            let (Some(channel), Some(txq)) = (channels.pop(), self.tx_queue(slot.index)) else {
                continue;
            };
            // SAFETY: The NAPI instance is disabled: it is so from its registration on, and
            // `stop_channels()` leaves it so; with `running` empty nothing has enabled it. Nobody
            // else can be here, as the RTNL is held.
            unsafe { *slot.poll.get() = Some((channel.poll, channel.pool.clone())) };
            // SAFETY: The pool was taken above, and the slot has a reference. The instance is
            // registered for longer than channels run; `stop_channels()` has the pool forget it.
            unsafe { channel.pool.enable_direct(slot.napi.get()) };
            // SAFETY: The queue is valid; `tx` may be touched under its lock. Nothing of the
            // driver's is dropped under the lock, as the slot was empty.
            unsafe {
                bindings::rust_helper_netif_tx_lock_bh(txq.as_ptr());
                *slot.tx.get() = Some(channel.tx);
                bindings::rust_helper_netdev_tx_reset_queue(txq.as_ptr());
                bindings::rust_helper_netif_tx_unlock_bh(txq.as_ptr());
            }
        }
        // In the order of their registration, as the stack sorts them by the numbers they get now.
        for slot in private.slots.iter().take(count) {
            // SAFETY: The NAPI instance is registered and disabled.
            unsafe { bindings::napi_enable(slot.napi.get()) };
            self.link_queues(slot, slot.napi.get());
        }
        *private.running.get_mut(rtnl) = Some(channels);
        // SAFETY: The net device is valid.
        unsafe { bindings::rust_helper_netif_tx_wake_all_queues(self.as_raw()) };
        Ok(())
    }

    /// Has the device use `count` queues of either direction, and shares the processors out among
    /// them if their number has changed; what a user has set since (`xps_cpus` in sysfs) then goes.
    fn spread(&self, rtnl: &mut Rtnl, count: usize) -> Result {
        let private = self.private();
        let queues = u32::try_from(count)?;
        // SAFETY: The net device is valid, and the RTNL held.
        to_result(unsafe { bindings::netif_set_real_num_queues(self.as_raw(), queues, queues) })?;
        if core::mem::replace(private.count.get_mut(rtnl), count) == count {
            return Ok(());
        }
        for slot in private.slots.iter().take(count) {
            // Without it the stack spreads by hashes: nothing is lost that would have to be told.
            let Ok(cpus) = share(slot.index, count) else {
                continue;
            };
            // SAFETY: The net device has this queue; the mask is valid.
            let _ = unsafe {
                bindings::netif_set_xps_queue(
                    self.as_raw(),
                    cpus.as_raw().cast_const().cast(),
                    // CAST: Less than `CHANNELS`.
                    slot.index as u16,
                )
            };
        }
        Ok(())
    }

    /// Stops transmit queues and NAPI instances and takes their channels back; [`None`] if none are
    /// running. When this returns, no callback uses a channel any more. Process context; sleeps.
    pub fn stop_channels(&self, rtnl: &mut Rtnl) -> Option<KVec<Channel<T>>> {
        let private = self.private();
        let mut channels = private.running.get_mut(rtnl).take()?;
        // SAFETY: The net device is valid.
        unsafe { bindings::rust_helper_netif_tx_disable(self.as_raw()) };
        let count = *private.count.get(rtnl);
        for slot in private.slots.iter().take(count) {
            let Some(txq) = self.tx_queue(slot.index) else {
                continue;
            };
            // SAFETY: The NAPI instance is registered and, as channels were running, enabled.
            unsafe { bindings::napi_disable(slot.napi.get()) };
            // SAFETY: The NAPI instance is disabled and the RTNL is held.
            unsafe {
                slot.rx_dim.cancel();
                slot.tx_dim.cancel();
            }
            self.link_queues(slot, core::ptr::null_mut());
            // SAFETY: The NAPI instance is disabled and the RTNL is held.
            let poll = unsafe { (*slot.poll.get()).take() };
            if let Some((_, pool)) = &poll {
                // SAFETY: The NAPI instance is registered and disabled; it was taken when that was
                // started.
                unsafe {
                    pool.disable_direct();
                    pool.give_back();
                }
            }
            // SAFETY: The queue is valid; `tx` may be touched under its lock.
            let tx = unsafe {
                bindings::rust_helper_netif_tx_lock_bh(txq.as_ptr());
                let tx = (*slot.tx.get()).take();
                bindings::rust_helper_netdev_tx_reset_queue(txq.as_ptr());
                bindings::rust_helper_netif_tx_unlock_bh(txq.as_ptr());
                tx
            };
            if let (Some((poll, pool)), Some(tx)) = (poll, tx) {
                // The vector is the one the channels came in, so that there is room.
                let _ = channels.push_within_capacity(Channel { tx, poll, pool });
            }
        }
        // A last poll may have woken a queue. SAFETY: The net device is valid.
        unsafe { bindings::rust_helper_netif_tx_disable(self.as_raw()) };
        Some(channels)
    }

    /// Takes down whatever the driver left running.
    fn take_down(&self, rtnl: &mut Rtnl) {
        drop(self.stop_channels(rtnl));
        self.release_vectors(rtnl);
    }

    /// Tells the stack which NAPI instance serves the queues of a channel. Under the RTNL.
    fn link_queues(&self, slot: &Slot<T>, napi: *mut bindings::napi_struct) {
        // CAST: `CHANNELS` is a `u32`, so every index fits.
        let index = slot.index as u32;
        // SAFETY: The net device has this queue; the instance is registered with it or null.
        unsafe {
            bindings::netif_queue_set_napi(
                self.as_raw(),
                index,
                bindings::netdev_queue_type_NETDEV_QUEUE_TYPE_RX,
                napi,
            );
            bindings::netif_queue_set_napi(
                self.as_raw(),
                index,
                bindings::netdev_queue_type_NETDEV_QUEUE_TYPE_TX,
                napi,
            );
        }
    }
}

/// The name of a network device, to be printed.
pub struct Name([c_char; bindings::IFNAMSIZ as usize]);

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for &c in self.0.iter().take_while(|&&c| c != 0) {
            fmt::Write::write_char(f, char::from(c))?;
        }
        Ok(())
    }
}

/// A registered network device; dropping it unregisters and frees it.
///
/// # Invariants
///
/// `dev` is a registered net device as [`Device`] wants it, and this is its owner.
pub struct Registration<'a, T: Operations> {
    dev: NonNull<bindings::net_device>,
    _bound: PhantomData<(&'a pci::Device<Bound>, T)>,
}

// SAFETY: A net device may be unregistered from any thread that may sleep.
unsafe impl<T: Operations> Send for Registration<'_, T> {}

// SAFETY: Through a shared reference only `Device` can be reached, which is meant to be shared.
unsafe impl<T: Operations> Sync for Registration<'_, T> {}

impl<'a, T: Operations + ethtool::Operations + hwtstamp::Operations + 'a> Registration<'a, T> {
    /// Allocates a net device around `data` and registers it, after its clock. That there is no
    /// clock is told, and no failure.
    ///
    /// # Safety
    ///
    /// The result must be dropped before `'a` ends: it must not be forgotten. `T` must not hold
    /// references to anything that is gone before the result is dropped.
    pub unsafe fn new(
        pdev: &'a pci::Device<Core<'_>>,
        data: impl PinInit<T, Error>,
    ) -> Result<Self> {
        let raw_pdev = NonNull::new(crate::as_raw_pci_device(pdev)).ok_or(EINVAL)?;
        let size = c_int::try_from(size_of::<Private<T>>())?;
        const { assert!(align_of::<Private<T>>() <= bindings::NETDEV_ALIGN) };
        // SAFETY: No requirements.
        let dev = unsafe { bindings::alloc_etherdev_mqs(size, T::CHANNELS, T::CHANNELS) };
        let dev = NonNull::new(dev).ok_or(ENOMEM)?;
        let private = Device::<T>::private_of(dev.as_ptr());

        // SAFETY: The private data has the size asked for and is nobody else's yet.
        if let Err(e) = unsafe { Self::init_private(private, dev, raw_pdev, data) } {
            // SAFETY: The net device was never registered, its private data never initialised.
            unsafe { bindings::free_netdev(dev.as_ptr()) };
            return Err(e);
        }
        // INVARIANT: Registered below; the guard takes back what was done so far if that fails.
        let guard = Unregistered::<T>(dev, PhantomData);
        // SAFETY: The net device is fresh and its private data initialised.
        unsafe { Self::init_netdev(dev, pdev.as_ref()) };
        // SAFETY: The net device is not registered yet, its private data initialised.
        unsafe { Self::register_clock(private, pdev) };
        // SAFETY: The net device is complete.
        to_result(unsafe { bindings::register_netdev(dev.as_ptr()) })?;
        core::mem::forget(guard);
        Ok(Self {
            dev,
            _bound: PhantomData,
        })
    }

    /// # Safety
    ///
    /// `private` is valid for a write and belongs to `dev`.
    unsafe fn init_private(
        private: *mut Private<T>,
        dev: NonNull<bindings::net_device>,
        pdev: NonNull<bindings::pci_dev>,
        data: impl PinInit<T, Error>,
    ) -> Result {
        let mut slots = KVec::with_capacity(T::CHANNELS as usize, GFP_KERNEL)?;
        for index in 0..T::CHANNELS as usize {
            slots.push(
                Slot {
                    napi: Opaque::zeroed(),
                    index,
                    counters: Counters::new(),
                    rx_dim: Dim::new(dev, index, Direction::Rx),
                    tx_dim: Dim::new(dev, index, Direction::Tx),
                    cpus: share(index, T::CHANNELS as usize)?,
                    polled: AtomicFlag::new(false),
                    poll: UnsafeCell::new(None),
                    tx: UnsafeCell::new(None),
                },
                GFP_KERNEL,
            )?;
        }
        // SAFETY: As the caller vouches, for each of the fields.
        unsafe {
            pin_init::raw_try_init(core::ptr::addr_of_mut!((*private).data), data)?;
            core::ptr::addr_of_mut!((*private).clock).write(None);
            core::ptr::addr_of_mut!((*private).slots).write(slots);
            core::ptr::addr_of_mut!((*private).pdev).write(pdev);
            core::ptr::addr_of_mut!((*private).netdev).write(dev);
            core::ptr::addr_of_mut!((*private).vectors).write(RtnlCell::new(Vectors::new(pdev)));
            core::ptr::addr_of_mut!((*private).running).write(RtnlCell::new(None));
            core::ptr::addr_of_mut!((*private).count).write(RtnlCell::new(0));
            let service = core::ptr::addr_of_mut!((*private).service);
            bindings::rust_helper_init_delayed_work(service.cast(), Some(service_callback::<T>));
        }
        // SAFETY: All fields are initialised now.
        for slot in unsafe { &(*private).slots } {
            // SAFETY: The net device is valid, the instance zeroed; it stays where it is, as the
            // vector of slots is never touched again.
            unsafe {
                // CAST: `CHANNELS` is a handful.
                bindings::rust_helper_netif_napi_add_config(
                    dev.as_ptr(),
                    slot.napi.get(),
                    Some(poll_callback::<T>),
                    slot.index as c_int,
                )
            };
            // SAFETY: As above; channels that were ever started are stopped before the private data
            // goes, and with them the work items.
            unsafe {
                slot.rx_dim.init::<T>();
                slot.tx_dim.init::<T>();
            }
        }
        Ok(())
    }

    /// # Safety
    ///
    /// `private` is the initialised private data of a net device that is not registered yet.
    unsafe fn register_clock(private: *mut Private<T>, pdev: &pci::Device<Core<'_>>) {
        // SAFETY: As the caller vouches: initialised, and where it is until it is dropped.
        let data = unsafe { &*core::ptr::addr_of!((*private).data) };
        let parent: &device::Device<Bound> = pdev.as_ref();
        let result = data.start_clock().and_then(|config| {
            // SAFETY: The result goes to where it is dropped before `data`, which until then is
            // only ever shared, and where it does not outlive the net device's registration, for
            // as long as which the parent is bound.
            unsafe { ptp::Registration::new(parent, data, &config) }
        });
        match result {
            // SAFETY: Nobody else knows of the field yet: callbacks of the clock know `data` only.
            Ok(clock) => unsafe { core::ptr::addr_of_mut!((*private).clock).write(clock) },
            Err(e) => dev_warn!(pdev, "no PTP clock, so no time stamps: {:?}\n", e),
        }
    }

    /// # Safety
    ///
    /// `dev` is not registered yet and its private data is initialised.
    unsafe fn init_netdev(dev: NonNull<bindings::net_device>, parent: &device::Device<Core<'_>>) {
        // SAFETY: As the caller vouches.
        let this = unsafe { Device::<T>::from_raw(dev) };
        let config = this.data().config();
        let on = config.features.with(config.fixed_features);
        let tags = Features::VLAN_RX
            .with(Features::VLAN_TX)
            .with(Features::VLAN_FILTER);
        // SAFETY: The net device is not registered yet, so that nobody else looks at its fields.
        unsafe {
            let raw = dev.as_ptr();
            (*raw).netdev_ops = T::NETDEV_OPS;
            (*raw).features = on.0;
            (*raw).ethtool_ops = <T as ethtool::Callbacks>::ETHTOOL_OPS;
            (*raw).dev.parent = crate::as_raw_device(parent);
            (*raw).hw_features = config.features.with(config.more_features).0;
            (*raw).vlan_features = on.without(tags).0;
            (*raw).min_mtu = bindings::ETH_MIN_MTU;
            (*raw).max_mtu = config.max_mtu;
            (*raw).watchdog_timeo = kernel::time::msecs_to_jiffies(config.tx_timeout_ms) as c_int;
            (*raw).stat_ops = <T as qstats::Callbacks>::STAT_OPS;
            bindings::rust_helper_netdev_init_flags(raw);
            bindings::dev_addr_mod(raw, 0, config.mac.as_ptr().cast(), config.mac.len());
            bindings::netif_carrier_off(raw);
        }
    }
}

impl<T: Operations> Registration<'_, T> {
    /// The device.
    pub fn device(&self) -> &Device<T> {
        // SAFETY: By the type invariants.
        unsafe { Device::from_raw(self.dev) }
    }

    /// Takes the device away from the stack, before it loses its power or is reset. Process
    /// context, without the RTNL. Does nothing if that has been done.
    pub(crate) fn suspend(&self, why: Suspend) {
        let (dev, rtnl) = (self.device(), &mut Rtnl::lock());
        if !dev.is_present(rtnl) {
            return;
        }
        // SAFETY: The net device is registered, and the RTNL held.
        unsafe { bindings::netif_device_detach(dev.as_raw()) };
        T::suspend(dev, rtnl, why);
        dev.take_down(rtnl);
    }

    /// Gives the device back to the stack. Process context, without the RTNL. Does nothing if the
    /// stack has it: recovery from an error and a reset by the user may overlap.
    ///
    /// After an error it stays away.
    pub(crate) fn resume(&self) -> Result {
        let (dev, rtnl) = (self.device(), &mut Rtnl::lock());
        if dev.is_present(rtnl) {
            return Ok(());
        }
        T::resume(dev, rtnl).inspect_err(|_| dev.take_down(rtnl))?;
        // SAFETY: The net device is registered, and the RTNL held.
        unsafe { bindings::netif_device_attach(dev.as_raw()) };
        if dev.is_running() {
            dev.renew_rx_mode(rtnl);
        }
        Ok(())
    }
}

impl<T: Operations> Registration<'_, T> {
    /// Nobody uses the device. See [`Operations::runtime_suspend`].
    pub(crate) fn runtime_suspend(&self) {
        T::runtime_suspend(self.device());
    }

    /// The device is used again. See [`Operations::runtime_resume`].
    pub(crate) fn runtime_resume(&self) {
        T::runtime_resume(self.device());
    }
}

impl<T: Operations> Drop for Registration<'_, T> {
    fn drop(&mut self) {
        let private = Device::<T>::private_of(self.dev.as_ptr());
        // SAFETY: By the type invariants the net device is registered and its private data
        // initialised. The service goes first, as it may do what an unregistered device must not
        // (such as `netif_carrier_on()`); once it is disabled nothing can queue it again. It may
        // wait for the RTNL, which is not held here. After `unregister_netdev()` no callback runs
        // but those of the clock, which know the driver's data only: the interface was taken down,
        // and with it channels and vectors.
        unsafe {
            bindings::rust_helper_disable_delayed_work_sync((*private).service.get());
            bindings::unregister_netdev(self.dev.as_ptr());
        }
        drop(Unregistered::<T>(self.dev, PhantomData));
    }
}

/// A net device with initialised private data that is not, or no longer, registered.
struct Unregistered<T: Operations>(NonNull<bindings::net_device>, PhantomData<T>);

impl<T: Operations> Drop for Unregistered<T> {
    fn drop(&mut self) {
        let dev = self.0.as_ptr();
        let private = Device::<T>::private_of(dev);
        // SAFETY: The private data is initialised and the device not registered. A registration
        // that failed may have had the interface up, and so the service queued: once it is disabled
        // nobody but this function knows of the device. What a callback may have left running is
        // stopped before it is dropped. The clock, which knows the driver's data, is dropped before
        // them.
        unsafe {
            bindings::rust_helper_disable_delayed_work_sync((*private).service.get());
            Device::<T>::from_raw(self.0).take_down(&mut Rtnl::lock());
            for slot in &(*private).slots {
                bindings::rust_helper_netif_napi_del(slot.napi.get());
            }
            (*private).data.remove();
            core::ptr::drop_in_place(private);
            bindings::free_netdev(dev);
        }
    }
}

/// # Safety
///
/// Only for the service work in the private data of a `Device<T>`.
unsafe extern "C" fn service_callback<T: Operations>(work: *mut bindings::work_struct) {
    // SAFETY: The work is that of a delayed work, which is in private data that is initialised and
    // stays so until the work has been disabled.
    let dev = unsafe {
        let delayed = container_of!(work, bindings::delayed_work, work);
        let private = container_of!(Opaque::cast_from(delayed), Private<T>, service);
        Device::<T>::from_raw((*private).netdev)
    };
    T::service(dev);
}

/// # Safety
///
/// Only for the NAPI instances of a `Device<T>`.
unsafe extern "C" fn poll_callback<T: Operations>(
    napi: *mut bindings::napi_struct,
    budget: c_int,
) -> c_int {
    // SAFETY: The instance is in a slot of the device's, which is alive while it is polled.
    let (slot, dev) = unsafe {
        let slot = &*container_of!(Opaque::cast_from(napi), Slot<T>, napi);
        let dev = Device::<T>::from_raw(NonNull::new_unchecked((*napi).dev));
        (slot, dev)
    };
    // Softirq and kernel thread own `NAPI_STATE_SCHED`. Netpoll needs not: `poll_owner` keeps it
    // apart from them, but not from one that was polling when netpoll was set up.
    if slot.polled.xchg(true, Acquire) {
        return budget;
    }
    // SAFETY: The flag is ours, so that nobody else polls the instance. While it is disabled, by
    // `NAPI_STATE_SCHED` and `NAPI_STATE_NPSVC`, it is not polled, which is when the holder of the
    // RTNL touches the field.
    let poll = unsafe { &mut *slot.poll.get() };
    let done = poll_slot(dev, slot, poll, napi, budget);
    slot.polled.store(false, Release);
    done
}

/// One poll of a channel; returns what the stack is to be told.
fn poll_slot<T: Operations>(
    dev: &Device<T>,
    slot: &Slot<T>,
    poll: &mut Option<(T::Poll, Arc<PagePool>)>,
    napi: *mut bindings::napi_struct,
    budget: c_int,
) -> c_int {
    let (Some((poll, pool)), Some(txq), Some(napi)) =
        (poll, dev.tx_queue(slot.index), NonNull::new(napi))
    else {
        return 0;
    };
    // SAFETY: This is the poll callback, with its budget; the pool was told of the instance by the
    // invariants of the slot.
    let ctx = unsafe { PollContext::new(napi, txq, budget, &slot.counters, pool) };
    match T::poll(dev, poll, &ctx) {
        Polled::Done(frames) if frames < ctx.budget() => {
            let ((rx, rx_bytes), (tx, tx_bytes)) = (slot.counters.rx(), slot.counters.tx());
            // SAFETY: This is the poll of the channel.
            unsafe {
                slot.rx_dim.sample(rx, rx_bytes);
                slot.tx_dim.sample(tx, tx_bytes);
            }
            // CAST: Less than the budget, which came as an `int`.
            let frames = frames as c_int;
            // SAFETY: We are the poll callback, and done.
            if unsafe { bindings::napi_complete_done(napi.as_ptr(), frames) } {
                T::rearm(dev, slot.index);
            }
            frames
        }
        _ => budget,
    }
}

/// Runs `f` on the device behind `dev`, under the RTNL.
///
/// # Safety
///
/// Only in callbacks of a `Device<T>` that the stack calls with the RTNL held. Those are the ones
/// of `Documentation/networking/netdevices.rst` only as long as the device does not ask for the
/// instance lock instead (`request_ops_lock`, `queue_mgmt_ops`, `net_shaper_ops`), which none of
/// ours can.
pub(crate) unsafe fn with_rtnl<T: Operations, R>(
    dev: *mut bindings::net_device,
    f: impl FnOnce(&Device<T>, &mut Rtnl) -> R,
) -> R {
    // SAFETY: The caller is a callback of such a device.
    let dev = unsafe { Device::<T>::from_raw(NonNull::new_unchecked(dev)) };
    // SAFETY: The RTNL is held by the caller. Functions that can lead here ask for the token
    // themselves, so that it is not borrowed by the same thread.
    let mut rtnl = unsafe { Rtnl::assume_held() };
    f(dev, &mut rtnl)
}

/// The C callbacks of a net device whose driver is `T`.
///
/// All of them are only called by the stack, with a net device that [`Registration::new`] made for
/// the same `T`, in the contexts of `Documentation/networking/netdevices.rst`. That is what the
/// SAFETY comments below mean by "a callback".
pub(crate) trait Callbacks: Operations + hwtstamp::Callbacks {
    /// The table for `struct net_device`.
    const NETDEV_OPS: *const bindings::net_device_ops = &bindings::net_device_ops {
        ndo_open: Some(Self::open_callback),
        ndo_stop: Some(Self::stop_callback),
        ndo_start_xmit: Some(Self::start_xmit_callback),
        ndo_get_stats64: Some(Self::get_stats64_callback),
        ndo_set_rx_mode_async: Some(Self::set_rx_mode_callback),
        ndo_set_mac_address: Some(Self::set_mac_address_callback),
        ndo_validate_addr: Some(bindings::eth_validate_addr),
        ndo_change_mtu: Some(Self::change_mtu_callback),
        ndo_tx_timeout: Some(Self::tx_timeout_callback),
        ndo_eth_ioctl: Some(Self::eth_ioctl_callback),
        ndo_fix_features: Some(Self::fix_features_callback),
        ndo_set_features: Some(Self::set_features_callback),
        ndo_features_check: Some(Self::features_check_callback),
        ndo_vlan_rx_add_vid: Some(Self::vlan_rx_add_vid_callback),
        ndo_vlan_rx_kill_vid: Some(Self::vlan_rx_kill_vid_callback),
        ndo_hwtstamp_get: Some(Self::hwtstamp_get_callback),
        ndo_hwtstamp_set: Some(Self::hwtstamp_set_callback),
        ..pin_init::zeroed()
    };

    /// # Safety
    ///
    /// A callback.
    unsafe extern "C" fn open_callback(dev: *mut bindings::net_device) -> c_int {
        // SAFETY: A callback, under the RTNL.
        unsafe {
            with_rtnl::<Self, _>(dev, |dev, rtnl| {
                from_result(|| {
                    let awake = runtime::awake(dev.parent().as_ref())?;
                    Self::open(dev, rtnl).inspect_err(|_| dev.take_down(rtnl))?;
                    // To be taken up again by `stop_callback()`.
                    core::mem::forget(awake);
                    Ok(0)
                })
            })
        }
    }

    /// # Safety
    ///
    /// A callback.
    unsafe extern "C" fn stop_callback(dev: *mut bindings::net_device) -> c_int {
        // SAFETY: A callback, under the RTNL. It follows an `open_callback()` that has succeeded.
        unsafe {
            with_rtnl::<Self, _>(dev, |dev, rtnl| {
                let _awake = runtime::Awake::from_forgotten(dev.parent().as_ref());
                Self::stop(dev, rtnl);
                dev.take_down(rtnl);
            })
        };
        0
    }

    /// # Safety
    ///
    /// A callback.
    unsafe extern "C" fn start_xmit_callback(
        skb: *mut bindings::sk_buff,
        dev: *mut bindings::net_device,
    ) -> bindings::netdev_tx {
        // SAFETY: A callback, with a frame that is now ours.
        let (dev, skb, index, more) = unsafe {
            (
                Device::<Self>::from_raw(NonNull::new_unchecked(dev)),
                SkBuff::from_raw(NonNull::new_unchecked(skb)),
                usize::from((*skb).queue_mapping),
                bindings::rust_helper_netdev_xmit_more(),
            )
        };
        let (Some(slot), Some(txq)) = (dev.private().slots.get(index), dev.tx_queue(index)) else {
            skb.drop_with(DropReason::DeviceNotReady);
            return bindings::netdev_tx_NETDEV_TX_OK;
        };
        // SAFETY: The stack holds the lock of the frame's transmit queue, as the device never sets
        // `lltx`; the field is only touched under that lock.
        let Some(tx) = (unsafe { &mut *slot.tx.get() }) else {
            skb.drop_with(DropReason::DeviceNotReady);
            return bindings::netdev_tx_NETDEV_TX_OK;
        };
        // SAFETY: A queue of this device.
        let queue = unsafe { XmitQueue::from_raw(txq) };
        match Self::start_xmit(dev, tx, &queue, skb, more) {
            Ok(()) => bindings::netdev_tx_NETDEV_TX_OK,
            Err(skb) => {
                // The stack keeps the frame.
                let _ = skb.into_raw();
                bindings::netdev_tx_NETDEV_TX_BUSY
            }
        }
    }

    /// # Safety
    ///
    /// A callback.
    unsafe extern "C" fn get_stats64_callback(
        dev: *mut bindings::net_device,
        out: *mut bindings::rtnl_link_stats64,
    ) {
        // SAFETY: A callback; `out` is valid and zeroed.
        let (dev, out) = unsafe {
            (
                Device::<Self>::from_raw(NonNull::new_unchecked(dev)),
                &mut *out,
            )
        };
        for slot in &dev.private().slots {
            slot.counters.add_to(out);
        }
        let hw = Self::stats(dev);
        let add = |to: &mut u64, value: u64| *to = to.wrapping_add(value);
        add(&mut out.rx_errors, hw.rx_errors);
        add(&mut out.rx_length_errors, hw.rx_length_errors);
        add(&mut out.rx_crc_errors, hw.rx_crc_errors);
        add(&mut out.rx_frame_errors, hw.rx_frame_errors);
        add(&mut out.rx_missed_errors, hw.rx_missed_errors);
        add(&mut out.rx_dropped, hw.rx_dropped);
        add(&mut out.multicast, hw.multicast);
        add(&mut out.tx_errors, hw.tx_errors);
        add(&mut out.tx_dropped, hw.tx_dropped);
        add(&mut out.tx_aborted_errors, hw.tx_aborted_errors);
        add(&mut out.tx_window_errors, hw.tx_window_errors);
        add(&mut out.tx_carrier_errors, hw.tx_carrier_errors);
        add(&mut out.collisions, hw.collisions);
    }

    /// # Safety
    ///
    /// A callback.
    unsafe extern "C" fn set_rx_mode_callback(
        dev: *mut bindings::net_device,
        unicast: *mut bindings::netdev_hw_addr_list,
        multicast: *mut bindings::netdev_hw_addr_list,
    ) -> c_int {
        // SAFETY: A callback, under the RTNL, with snapshots of the lists.
        unsafe {
            let mode = RxMode::new((*dev).flags, &*unicast, &*multicast);
            with_rtnl::<Self, _>(dev, |dev, rtnl| {
                Self::note_rx_mode(dev, rtnl, &mode);
                from_result(|| Self::set_rx_mode(dev, rtnl).map(|()| 0))
            })
        }
    }

    /// # Safety
    ///
    /// A callback.
    unsafe extern "C" fn set_mac_address_callback(
        dev: *mut bindings::net_device,
        addr: *mut c_void,
    ) -> c_int {
        // SAFETY: A callback, under the RTNL; `addr` is a `struct sockaddr_storage`, of which the
        // first bytes of data are the address.
        unsafe {
            let mut mac = MacAddress::default();
            let data =
                core::ptr::addr_of!((*addr.cast::<bindings::sockaddr>()).sa_data).cast::<u8>();
            core::ptr::copy_nonoverlapping(data, mac.as_mut_ptr(), mac.len());
            if mac[0] & 1 != 0 || mac == MacAddress::default() {
                return EADDRNOTAVAIL.to_errno();
            }
            with_rtnl::<Self, _>(dev, |dev, rtnl| {
                from_result(|| {
                    Self::set_mac_address(dev, rtnl, &mac)?;
                    bindings::dev_addr_mod(dev.as_raw(), 0, mac.as_ptr().cast(), mac.len());
                    Ok(0)
                })
            })
        }
    }

    /// # Safety
    ///
    /// A callback.
    unsafe extern "C" fn change_mtu_callback(dev: *mut bindings::net_device, mtu: c_int) -> c_int {
        // SAFETY: A callback, under the RTNL. The stack has checked the MTU against the limits.
        unsafe {
            with_rtnl::<Self, _>(dev, |dev, rtnl| {
                from_result(|| {
                    let field = core::ptr::addr_of_mut!((*dev.as_raw()).mtu);
                    let old = field.read();
                    field.write_volatile(u32::try_from(mtu)?);
                    Self::mtu_changed(dev, rtnl)
                        .inspect_err(|_| field.write_volatile(old))
                        .map(|()| 0)
                })
            })
        }
    }

    /// # Safety
    ///
    /// A callback.
    unsafe extern "C" fn tx_timeout_callback(dev: *mut bindings::net_device, queue: c_uint) {
        // SAFETY: A callback.
        let dev = unsafe { Device::<Self>::from_raw(NonNull::new_unchecked(dev)) };
        Self::tx_timeout(dev, queue as usize);
    }

    /// # Safety
    ///
    /// A callback.
    unsafe extern "C" fn eth_ioctl_callback(
        dev: *mut bindings::net_device,
        request: *mut bindings::ifreq,
        command: c_int,
    ) -> c_int {
        // SAFETY: A callback, under the RTNL; the request of these two commands carries MII data.
        unsafe {
            with_rtnl::<Self, _>(dev, |dev, rtnl| {
                from_result(|| {
                    let command = u32::try_from(command)?;
                    if command != bindings::SIOCGMIIPHY && command != bindings::SIOCGMIIREG {
                        return Err(EOPNOTSUPP);
                    }
                    let mii = &mut *bindings::rust_helper_if_mii(request);
                    let address = u16::from(dev.data().mii_address());
                    if command == bindings::SIOCGMIIPHY {
                        mii.phy_id = address;
                    } else if mii.phy_id != address {
                        return Err(ENODEV);
                    } else {
                        let _awake = runtime::awake(dev.parent().as_ref())?;
                        // As every MII register number, five bits.
                        mii.val_out = Self::mii_read(dev, rtnl, (mii.reg_num & 0x1f) as u8)?;
                    }
                    Ok(0)
                })
            })
        }
    }

    /// # Safety
    ///
    /// A callback.
    unsafe extern "C" fn fix_features_callback(
        dev: *mut bindings::net_device,
        wanted: bindings::netdev_features_t,
    ) -> bindings::netdev_features_t {
        // SAFETY: A callback, under the RTNL.
        unsafe {
            with_rtnl::<Self, _>(dev, |dev, rtnl| {
                Self::fix_features(dev, rtnl, Features(wanted)).0
            })
        }
    }

    /// # Safety
    ///
    /// A callback.
    unsafe extern "C" fn set_features_callback(
        dev: *mut bindings::net_device,
        features: bindings::netdev_features_t,
    ) -> c_int {
        // SAFETY: A callback, under the RTNL.
        unsafe {
            with_rtnl::<Self, _>(dev, |dev, rtnl| {
                from_result(|| Self::set_features(dev, rtnl, Features(features)).map(|()| 0))
            })
        }
    }

    /// # Safety
    ///
    /// A callback.
    unsafe extern "C" fn features_check_callback(
        skb: *mut bindings::sk_buff,
        dev: *mut bindings::net_device,
        features: bindings::netdev_features_t,
    ) -> bindings::netdev_features_t {
        // SAFETY: A callback, with a frame that is the stack's and is only looked at.
        unsafe {
            let dev = Device::<Self>::from_raw(NonNull::new_unchecked(dev));
            let skb = NonNull::new_unchecked(skb);
            Self::features_check(dev, SkBuff::from_raw_ref(&skb), Features(features)).0
        }
    }

    /// # Safety
    ///
    /// A callback.
    unsafe extern "C" fn vlan_rx_add_vid_callback(
        dev: *mut bindings::net_device,
        _proto: bindings::__be16,
        vid: u16,
    ) -> c_int {
        // SAFETY: A callback, under the RTNL. The protocol is 802.1Q: filters for another one are
        // a feature that none of ours has.
        unsafe {
            with_rtnl::<Self, _>(dev, |dev, rtnl| {
                from_result(|| Self::add_vlan(dev, rtnl, vid).map(|()| 0))
            })
        }
    }

    /// # Safety
    ///
    /// A callback.
    unsafe extern "C" fn vlan_rx_kill_vid_callback(
        dev: *mut bindings::net_device,
        _proto: bindings::__be16,
        vid: u16,
    ) -> c_int {
        // SAFETY: As `vlan_rx_add_vid_callback()`.
        unsafe {
            with_rtnl::<Self, _>(dev, |dev, rtnl| {
                from_result(|| Self::remove_vlan(dev, rtnl, vid).map(|()| 0))
            })
        }
    }
}

impl<T: Operations + hwtstamp::Operations> Callbacks for T {}
