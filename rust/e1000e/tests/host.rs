// SPDX-License-Identifier: GPL-2.0

//! Tests of the driver's pure logic, on the host: no kernel, no device.
//!
//! Built with the driver's own rustc and run by `scripts/host-tests`, which `make test` does first.

// Each module has parts that only the driver uses.
#![allow(dead_code)]

// All that these modules use of `kernel` is `fmt`.
extern crate core as kernel;

#[path = "../desc.rs"]
mod desc;
#[path = "../filter.rs"]
mod filter;
#[path = "../phy/hv/values.rs"]
mod hv_values;
#[path = "../ivar.rs"]
mod ivar;
#[path = "../chip/kmrn.rs"]
mod kmrn;
#[path = "../link.rs"]
mod link;
#[path = "../mdic.rs"]
mod mdic;
#[path = "../chip/packet_buffer.rs"]
mod packet_buffer;
#[path = "../nvm/region.rs"]
mod region;
#[path = "../rss.rs"]
mod rss;
#[path = "../systim.rs"]
mod systim;

mod ivar_tests {
    use super::ivar::{
        Assignment,
        Cause,
        Ivar,
        VectorCount, //
    };

    /// All counts a device can have.
    fn counts() -> impl Iterator<Item = VectorCount> {
        (1..=5).map(|n| VectorCount::new(n).unwrap())
    }

    /// The register value for `count` vectors.
    fn ivar(count: VectorCount) -> Ivar {
        Ivar::from(&Assignment::spread(count))
    }

    #[test]
    fn counts_outside_the_device_are_refused() {
        for n in (0..1000).chain([u32::MAX, 1 << 8, 1 << 16]) {
            assert_eq!(VectorCount::new(n).is_some(), (1..=5).contains(&n), "{n}");
        }
    }

    #[test]
    fn vectors_beyond_the_count_are_refused() {
        for count in counts() {
            for index in 0..=u8::MAX {
                let vector = count.vector(index);
                assert_eq!(vector.is_some(), index < count.get());
                assert!(vector.map_or(true, |v| v.index() == index));
            }
            let all: Vec<u8> = count.vectors().map(|v| v.index()).collect();
            assert_eq!(all, (0..count.get()).collect::<Vec<_>>());
        }
    }

    /// Taken apart by the datasheet's bit numbers, not by the module's own functions.
    #[test]
    fn every_cause_is_valid_and_allocated_for_every_count() {
        for count in counts() {
            let raw = ivar(count).raw();
            for cause in 0..5 {
                let entry = (raw >> (4 * cause)) & 0xf;
                assert_ne!(entry & 8, 0, "{count:?} cause {cause}: not valid");
                assert!(
                    entry & 7 < u32::from(count.get()),
                    "{count:?} cause {cause}: vector {} was not allocated",
                    entry & 7
                );
            }
            assert_eq!(raw & 0x7ff0_0000, 0, "reserved bits");
            assert_eq!(raw >> 31, 1, "interrupt on all write-backs");
        }
    }

    #[test]
    fn every_vector_is_used_by_five_three_two_and_one() {
        for n in [5, 3, 2, 1] {
            let count = VectorCount::new(n).unwrap();
            let assignment = Assignment::spread(count);
            for vector in count.vectors() {
                assert!(assignment.causes(vector).count() > 0, "{n}: {vector:?}");
            }
            let total: usize = count
                .vectors()
                .map(|vector| assignment.causes(vector).count())
                .sum();
            assert_eq!(total, 5, "each cause on one vector");
        }
    }

    #[test]
    fn known_values() {
        let value = |n| ivar(VectorCount::new(n).unwrap()).raw();
        assert_eq!(value(5), 0x800c_ba98);
        assert_eq!(value(3), 0x800a_9898);
        assert_eq!(value(2), 0x8009_8888);
        assert_eq!(value(1), 0x8008_8888);
    }

    #[test]
    fn verify_finds_every_single_and_double_bit_change() {
        for count in counts() {
            let ivar = ivar(count);
            assert_eq!(ivar.verify(ivar.raw()), Ok(()));
            for i in 0..32 {
                for j in i..32 {
                    let changed = if i == j {
                        ivar.raw() ^ (1 << i)
                    } else {
                        ivar.raw() ^ (1 << i) ^ (1 << j)
                    };
                    assert!(ivar.verify(changed).is_err());
                }
            }
        }
    }

    #[test]
    fn verify_names_the_lost_causes() {
        for count in counts() {
            let ivar = ivar(count);
            for (n, cause) in Cause::ALL.into_iter().enumerate() {
                for bit in 0..4 {
                    let lost = ivar.verify(ivar.raw() ^ (1 << (4 * n + bit))).unwrap_err();
                    assert_eq!(lost.causes().collect::<Vec<_>>(), [cause]);
                }
            }
        }
    }

    #[test]
    fn values_seen_in_the_field_are_lost_mappings() {
        for count in counts() {
            for found in [0, u32::MAX, 0x5a5a_5a5a, 0x800a_0908] {
                assert!(ivar(count).verify(found).is_err(), "{count:?} {found:#x}");
            }
        }
    }

    #[test]
    fn log_lines() {
        let five = ivar(VectorCount::new(5).unwrap());
        assert_eq!(five.to_string(), "RXQ0->0 RXQ1->1 TXQ0->2 TXQ1->3 OTHER->4");
        let three = ivar(VectorCount::new(3).unwrap());
        assert_eq!(
            three.to_string(),
            "RXQ0->0 RXQ1->1 TXQ0->0 TXQ1->1 OTHER->2"
        );
        assert_eq!(
            three.decode(0x800d_9898).to_string(),
            "RXQ0->0 RXQ1->1 TXQ0->0 TXQ1->1 OTHER->5(not allocated)"
        );
        let lost = five.verify(0x5a5a_5a5a).unwrap_err();
        assert_eq!(
            lost.to_string(),
            "IVAR 0x5a5a5a5a (RXQ0->2 RXQ1->invalid TXQ0->2 TXQ1->invalid OTHER->2) \
             instead of 0x800cba98, lost: RXQ0 RXQ1 TXQ1 OTHER"
        );
        let lost = five.verify(0).unwrap_err();
        assert_eq!(lost.causes().count(), 5);
    }
}

/// Programs that must not compile: a mapping that loses interrupts cannot be written down.
mod ivar_compile_fail {
    use std::{
        fs,
        path::PathBuf,
        process::Command, //
    };

    /// Compiles `body` as a function that uses the module `ivar`; the compiler's messages if it
    /// does not compile.
    fn compile(name: &str, body: &str) -> Result<(), String> {
        let dir: PathBuf = std::env::temp_dir().join(format!("ivar-{}-{name}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join("ivar.rs"), include_str!("../ivar.rs")).unwrap();
        let main = dir.join("main.rs");
        fs::write(
            &main,
            format!(
                "#![allow(dead_code)]\nextern crate core as kernel;\nmod ivar;\nuse ivar::*;\n\
                 fn main() {{\nlet three = VectorCount::new(3).unwrap();\n{body}\n}}\n"
            ),
        )
        .unwrap();
        let output = Command::new(std::env::var("RUSTC").unwrap_or("rustc".into()))
            .args(["--edition", "2021", "--emit", "metadata", "--out-dir"])
            .arg(&dir)
            .arg(&main)
            .output()
            .expect("rustc must be in the path, or named by RUSTC");
        fs::remove_dir_all(&dir).unwrap();
        if output.status.success() {
            Ok(())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }

    /// `body` must be refused, for the reason with the error code `code` and no other.
    fn refused(name: &str, code: &str, body: &str) {
        let messages = compile(name, body).expect_err("this must not compile");
        let mut codes: Vec<&str> = messages
            .lines()
            .filter_map(|line| line.strip_prefix("error[")?.split(']').next())
            .collect();
        codes.dedup();
        assert_eq!(codes, [code], "{messages}");
    }

    #[test]
    fn the_right_way_compiles() {
        compile(
            "control",
            "let ivar = Ivar::from(&Assignment::spread(three)); println!(\"{}\", ivar.raw());",
        )
        .unwrap();
    }

    #[test]
    fn no_vector_by_hand() {
        refused("vector", "E0451", "let _ = Vector { index: 4 };");
    }

    #[test]
    fn no_count_by_hand() {
        refused("count", "E0423", "let _ = VectorCount(7);");
    }

    #[test]
    fn no_ivar_from_a_number() {
        refused("number", "E0277", "let _ = Ivar::from(0x800a_0908_u32);");
    }

    #[test]
    fn no_ivar_by_hand() {
        refused(
            "ivar",
            "E0451",
            "let _ = Ivar { raw: 0x800a_0908, count: three };",
        );
    }

    #[test]
    fn no_assignment_by_hand() {
        refused(
            "assignment",
            "E0451",
            "let v = three.vector(0).unwrap();\n\
             let _ = Assignment { count: three, rx0: v, rx1: v, tx0: v, tx1: v, other: v };",
        );
    }

    #[test]
    fn no_assignment_without_a_cause() {
        refused("missing", "E0061", "let _ = Assignment::spread();");
    }

    #[test]
    fn no_change_of_an_assignment() {
        refused(
            "change",
            "E0616",
            "let mut a = Assignment::spread(three); a.other = three.vector(0).unwrap();",
        );
    }
}

mod mdic_tests {
    use super::mdic::{
        Command,
        MdicError, //
    };

    const READY: u32 = 1 << 28;
    const ERROR: u32 = 1 << 30;

    #[test]
    fn commands() {
        assert_eq!(Command::read(1, 2).raw(), 0x0822_0000);
        assert_eq!(Command::write(1, 4, 0x0de1).raw(), 0x0424_0de1);
        assert_eq!(Command::read(1, 31).raw(), 0x083f_0000);
        assert_eq!(Command::write(31, 31, 0xffff).raw(), 0x07ff_ffff);
    }

    #[test]
    fn a_good_result_is_the_data() {
        for reg in 0..32 {
            for data in [0, 1, 0x0141, 0x7fff, 0xfffe, 0xffff] {
                let result = READY | 0x0820_0000 | u32::from(reg) << 16 | u32::from(data);
                assert_eq!(Command::read(1, reg).classify(result), Ok(data));
            }
        }
    }

    #[test]
    fn classes() {
        let command = Command::read(1, 17);
        let good = READY | command.raw() | 0x1234;
        assert_eq!(command.classify(u32::MAX), Err(MdicError::Gone));
        assert_eq!(command.classify(good & !READY), Err(MdicError::Timeout));
        assert_eq!(command.classify(0), Err(MdicError::Timeout));
        assert_eq!(command.classify(good | ERROR), Err(MdicError::Flagged));
        assert_eq!(
            command.classify((good | ERROR) & !READY),
            Err(MdicError::Flagged)
        );
    }

    #[test]
    fn any_other_register_or_address_is_a_mismatch() {
        for bit in 16..26 {
            let command = Command::read(1, 17);
            assert_eq!(
                command.classify((READY | command.raw()) ^ (1 << bit)),
                Err(MdicError::Mismatch),
                "bit {bit}"
            );
        }
    }

    #[test]
    fn waiting_ends_with_ready_or_error() {
        assert!(!Command::settled(Command::read(1, 2).raw()));
        assert!(!Command::settled(Command::write(1, 2, 0xffff).raw()));
        assert!(Command::settled(READY));
        assert!(Command::settled(ERROR));
        assert!(Command::settled(u32::MAX));
    }

    #[test]
    fn classes_are_in_the_order_of_their_counters() {
        let classes = [
            MdicError::Ownership,
            MdicError::Timeout,
            MdicError::Flagged,
            MdicError::Gone,
            MdicError::Mismatch,
        ];
        assert_eq!(classes.len(), MdicError::COUNT);
        for (i, class) in classes.into_iter().enumerate() {
            assert_eq!(class.index(), i);
        }
    }
}

mod filter_tests {
    use super::filter::{
        multicast_hash,
        receive_address,
        Address,
        FilterState,
        Limits, //
    };

    const PRIMARY: Address = [0x52, 0x54, 0x00, 0x12, 0x34, 0x56];

    /// Bits 47:36 of the address as a number whose bit 0 is the first bit on the wire: each byte
    /// is sent with its lowest bit first.
    fn reference_hash(address: &Address) -> u16 {
        let mut bits = [0u8; 48];
        for (i, bit) in bits.iter_mut().enumerate() {
            *bit = (address[i / 8] >> (i % 8)) & 1;
        }
        (36..48).fold(0, |hash, i| hash | u16::from(bits[i]) << (i - 36))
    }

    #[test]
    fn hash_of_known_addresses() {
        // By hand from bytes 4 and 5; among them all-hosts, all-routers, a solicited node.
        assert_eq!(
            multicast_hash(&[0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc], 12),
            0xbc9
        );
        assert_eq!(
            multicast_hash(&[0x01, 0xaa, 0x00, 0x12, 0x34, 0x56], 12),
            0x563
        );
        assert_eq!(
            multicast_hash(&[0x01, 0x00, 0x5e, 0x00, 0x00, 0x01], 12),
            0x010
        );
        assert_eq!(
            multicast_hash(&[0x33, 0x33, 0x00, 0x00, 0x00, 0x02], 12),
            0x020
        );
        assert_eq!(
            multicast_hash(&[0x33, 0x33, 0xff, 0x12, 0x34, 0x56], 12),
            0x563
        );
        // The two lowest bits less.
        assert_eq!(
            multicast_hash(&[0x33, 0x33, 0xff, 0x12, 0x34, 0x56], 10),
            0x158
        );
    }

    #[test]
    fn hash_is_bits_47_to_36() {
        for byte4 in 0..=u8::MAX {
            for byte5 in 0..=u8::MAX {
                let address = [0x01, 0x00, 0x5e, 0x7f, byte4, byte5];
                assert_eq!(multicast_hash(&address, 12), reference_hash(&address));
                assert_eq!(multicast_hash(&address, 10), reference_hash(&address) >> 2);
            }
        }
    }

    #[test]
    fn receive_address_is_little_endian() {
        assert_eq!(receive_address(&PRIMARY), (0x1200_5452, 0x5634));
    }

    #[test]
    fn multicast_sets_one_bit_in_the_right_word() {
        let mut filters = FilterState::new(PRIMARY, &Limits::I82574);
        filters.begin(false, false);
        filters.add_multicast(&[0x33, 0x33, 0xff, 0x12, 0x34, 0x56]);
        // 0x563 = word 0x2b, bit 3.
        for (i, &word) in filters.mta().iter().enumerate() {
            assert_eq!(word, if i == 0x2b { 1 << 3 } else { 0 });
        }
        filters.begin(false, false);
        assert!(filters.mta().iter().all(|&word| word == 0));
    }

    #[test]
    fn unicast_fills_the_registers_then_turns_promiscuous() {
        for limits in [&Limits::I82574, &Limits::I82579] {
            let mut filters = FilterState::new(PRIMARY, limits);
            filters.begin(false, false);
            for n in 0..limits.addresses - 1 {
                assert!(filters.receive_address(n + 1).is_none());
                filters.add_unicast(&[2, 0, 0, 0, 0, n as u8]);
                assert!(!filters.unicast_promisc());
                assert_eq!(
                    filters.receive_address(n + 1),
                    Some((2, u16::from(n as u8) << 8))
                );
            }
            assert!(filters.receive_address(limits.addresses).is_none());
            filters.add_unicast(&[2, 0, 0, 0, 1, 0]);
            assert!(filters.unicast_promisc());
            assert!(!filters.multicast_promisc());
            assert!(filters.receive_address(limits.addresses).is_none());

            filters.begin(false, false);
            assert!(!filters.unicast_promisc());
            assert_eq!(filters.receive_address(0), Some(receive_address(&PRIMARY)));
            assert!(filters.receive_address(1).is_none());
        }
    }

    #[test]
    fn what_the_chips_have() {
        assert_eq!(Limits::I82574.addresses, 15);
        assert_eq!(Limits::I82579.addresses, 5);
        let words = |limits| FilterState::new(PRIMARY, limits).mta().len();
        assert_eq!(words(&Limits::I82574), 128);
        assert_eq!(words(&Limits::I82579), 32);
    }

    #[test]
    fn modes() {
        let mut filters = FilterState::new(PRIMARY, &Limits::I82574);
        assert!(!filters.unicast_promisc() && !filters.multicast_promisc());
        filters.begin(true, false);
        assert!(filters.unicast_promisc() && filters.multicast_promisc());
        filters.begin(false, true);
        assert!(!filters.unicast_promisc() && filters.multicast_promisc());
    }

    #[test]
    fn vlans() {
        let mut filters = FilterState::new(PRIMARY, &Limits::I82574);
        for vid in [0, 1, 31, 32, 100, 4095] {
            filters.set_vlan(vid, true);
            for (i, &word) in filters.vfta().iter().enumerate() {
                let wanted = if i == usize::from(vid) / 32 {
                    1 << (vid % 32)
                } else {
                    0
                };
                assert_eq!(word, wanted, "{vid}");
            }
            filters.begin(false, false);
            assert_ne!(filters.vfta()[usize::from(vid) / 32], 0, "kept");
            filters.set_vlan(vid, false);
        }
        assert!(!filters.filters_vlans());
        filters.set_vlan_filter(true);
        assert!(filters.filters_vlans());
        filters.begin(true, true);
        assert!(!filters.filters_vlans(), "promiscuous");
    }
}

mod rss_tests {
    use super::rss::{
        Rss,
        KEY_LEN,
        TABLE_LEN, //
    };

    #[test]
    fn one_queue() {
        assert!(Rss::new([0; KEY_LEN], 1).reta().all(|word| word == 0));
    }

    #[test]
    fn two_queues_take_turns() {
        let rss = Rss::new([0; KEY_LEN], 2);
        assert_eq!(rss.reta().count(), 32);
        assert!(rss.reta().all(|word| word == 0x8000_8000));
        assert_eq!(rss.table().filter(|&queue| queue == 1).count(), 64);
    }

    #[test]
    fn entries_in_their_places() {
        let mut table = [0; TABLE_LEN];
        table[5] = 1;
        let mut rss = Rss::new([0; KEY_LEN], 2);
        assert!(rss.set_table(&table));
        for (i, word) in rss.reta().enumerate() {
            assert_eq!(word, if i == 1 { 0x0000_8000 } else { 0 });
        }
        assert!(rss.table().eq(table));
    }

    #[test]
    fn bad_tables_change_nothing() {
        let mut rss = Rss::new([0; KEY_LEN], 2);
        let before = rss.clone();
        let mut table = [0; TABLE_LEN];
        table[127] = 2;
        assert!(!rss.set_table(&table));
        assert!(!rss.set_table(&table[..127]));
        assert!(!rss.set_table(&[]));
        assert_eq!(rss, before);
    }

    #[test]
    fn key_words() {
        let mut key = [0; KEY_LEN];
        for (i, octet) in key.iter_mut().enumerate() {
            *octet = i as u8;
        }
        let words: Vec<u32> = Rss::new(key, 2).rssrk().collect();
        assert_eq!(words.len(), 10);
        assert_eq!((words[0], words[9]), (0x0302_0100, 0x2726_2524));
    }
}

mod link_tests {
    use super::link::{
        mii,
        resolve,
        resolve_pause,
        Cause,
        Duplex,
        ForcedSpeed,
        Link,
        LinkMode,
        LinkRequest,
        LinkState,
        MacLink,
        Modes,
        Pause,
        PhyLink,
        Speed, //
    };
    use super::mdic::MdicError;

    /// IEEE 802.3 table 28B-3: local PAUSE and ASM_DIR, partner PAUSE and ASM_DIR, then whether
    /// we obey PAUSE frames (rx) and whether we send them (tx).
    #[rustfmt::skip]
    const TABLE_28B_3: [(u8, u8, u8, u8, bool, bool); 16] = [
        (0, 0, 0, 0, false, false),
        (0, 0, 0, 1, false, false),
        (0, 0, 1, 0, false, false),
        (0, 0, 1, 1, false, false),
        (0, 1, 0, 0, false, false),
        (0, 1, 0, 1, false, false),
        (0, 1, 1, 0, false, false),
        (0, 1, 1, 1, false, true),
        (1, 0, 0, 0, false, false),
        (1, 0, 0, 1, false, false),
        (1, 0, 1, 0, true, true),
        (1, 0, 1, 1, true, true),
        (1, 1, 0, 0, false, false),
        (1, 1, 0, 1, true, false),
        (1, 1, 1, 0, true, true),
        (1, 1, 1, 1, true, true),
    ];

    /// ANAR or ANLPAR with these pause bits.
    fn pause_bits(pause: u8, asm_dir: u8) -> u16 {
        u16::from(pause) << 10 | u16::from(asm_dir) << 11
    }

    #[test]
    fn pause_resolution_is_table_28b_3() {
        for (pause, asm, partner_pause, partner_asm, rx, tx) in TABLE_28B_3 {
            // The other bits must not matter.
            for noise in [0, 0x01e1, 0x8000] {
                assert_eq!(
                    resolve_pause(
                        pause_bits(pause, asm) | noise,
                        pause_bits(partner_pause, partner_asm) | noise,
                        Pause::FULL
                    ),
                    Pause { rx, tx },
                    "{pause}{asm} {partner_pause}{partner_asm}"
                );
            }
        }
    }

    #[test]
    fn pause_is_never_more_than_asked_for() {
        for wanted in pauses() {
            for anar in 0..4 {
                for anlpar in 0..4 {
                    let got = resolve_pause(anar << 10, anlpar << 10, wanted);
                    assert!(wanted.rx || !got.rx);
                    assert!(wanted.tx || !got.tx);
                }
            }
        }
    }

    /// All four requests.
    fn pauses() -> impl Iterator<Item = Pause> {
        [false, true]
            .into_iter()
            .flat_map(|rx| [false, true].map(|tx| Pause { rx, tx }))
    }

    /// What is asked for comes about with a partner that can do everything.
    #[test]
    fn pause_advertisement_reaches_what_is_wanted() {
        for wanted in pauses() {
            let partner = pause_bits(1, 1);
            assert_eq!(
                resolve_pause(wanted.advertisement(), partner, wanted),
                wanted
            );
        }
    }

    const UP: PhyLink = PhyLink {
        bmcr: mii::BMCR_ANENABLE,
        bmsr: mii::BMSR_LSTATUS | mii::BMSR_ANEGCOMPLETE,
        anar: 0x0de1,
        anlpar: 0xcde1,
    };
    const MAC_UP: MacLink = MacLink {
        up: true,
        speed: Speed::Mbps1000,
        duplex: Duplex::Full,
    };

    #[test]
    fn up_needs_phy_and_mac() {
        assert_eq!(
            resolve(&UP, &MAC_UP, &LinkRequest::DEFAULT),
            LinkState::Up(Link {
                speed: Speed::Mbps1000,
                duplex: Duplex::Full,
                pause: Pause::FULL,
            })
        );
        let phy_down = PhyLink {
            bmsr: UP.bmsr & !mii::BMSR_LSTATUS,
            ..UP
        };
        let mac_down = MacLink {
            up: false,
            ..MAC_UP
        };
        for (phy, mac) in [
            (&phy_down, &MAC_UP),
            (&UP, &mac_down),
            (&phy_down, &mac_down),
        ] {
            assert_eq!(resolve(phy, mac, &LinkRequest::DEFAULT), LinkState::Down);
        }
    }

    /// Flow control of the link for these inputs.
    fn pause(phy: PhyLink, mac: MacLink, request: LinkRequest) -> Pause {
        match resolve(&phy, &mac, &request) {
            LinkState::Up(link) => link.pause,
            state => panic!("{state:?}"),
        }
    }

    #[test]
    fn no_pause_without_full_duplex_or_negotiation() {
        let half = MacLink {
            duplex: Duplex::Half,
            ..MAC_UP
        };
        assert_eq!(pause(UP, half, LinkRequest::DEFAULT), Pause::NONE);
        let incomplete = PhyLink {
            bmsr: mii::BMSR_LSTATUS,
            ..UP
        };
        assert_eq!(pause(incomplete, MAC_UP, LinkRequest::DEFAULT), Pause::NONE);
        let forced = PhyLink { bmcr: 0, ..UP };
        assert_eq!(pause(forced, MAC_UP, LinkRequest::DEFAULT), Pause::NONE);
    }

    #[test]
    fn forced_pause_needs_no_partner() {
        let request = LinkRequest {
            pause: Pause {
                rx: false,
                tx: true,
            },
            pause_autoneg: false,
            ..LinkRequest::DEFAULT
        };
        let silent = PhyLink { anlpar: 0, ..UP };
        assert_eq!(pause(silent, MAC_UP, request), request.pause);
        let half = MacLink {
            duplex: Duplex::Half,
            ..MAC_UP
        };
        assert_eq!(pause(silent, half, request), Pause::NONE);
    }

    #[test]
    fn advertisement_registers() {
        assert_eq!(LinkRequest::DEFAULT.anar(), 0x0de1);
        assert_eq!(Modes::ALL.to_gbcr(), 0x0200);
        let only_100 = LinkRequest {
            mode: LinkMode::Autoneg(Modes::FULL_100),
            pause: Pause::NONE,
            ..LinkRequest::DEFAULT
        };
        assert_eq!(only_100.anar(), 0x0101);
        assert_eq!(Modes::FULL_100.to_gbcr(), 0);
    }

    #[test]
    fn partner_modes() {
        assert_eq!(Modes::from_partner(0x01e0, 0x0800), Modes::ALL);
        assert_eq!(Modes::from_partner(0x0100, 0), Modes::FULL_100);
        assert_eq!(Modes::from_partner(0, 0x0800), Modes::FULL_1000);
        assert!(Modes::from_partner(0x8c01, 0x7000).is_empty());
    }

    #[test]
    fn control_register() {
        assert_eq!(LinkRequest::DEFAULT.bmcr(0x0800), 0x1200);
        assert_eq!(LinkRequest::DEFAULT.bmcr(0x2100), 0x1200);
        let forced = |speed, duplex| {
            LinkRequest {
                mode: LinkMode::Forced(speed, duplex),
                ..LinkRequest::DEFAULT
            }
            .bmcr(0x1340)
        };
        assert_eq!(forced(ForcedSpeed::Mbps10, Duplex::Half), 0x0000);
        assert_eq!(forced(ForcedSpeed::Mbps10, Duplex::Full), 0x0100);
        assert_eq!(forced(ForcedSpeed::Mbps100, Duplex::Half), 0x2000);
        assert_eq!(forced(ForcedSpeed::Mbps100, Duplex::Full), 0x2100);
    }

    #[test]
    fn speeds() {
        let speeds = [0, 1, 2, 3].map(|field| Speed::from_status(field).mbps());
        assert_eq!(speeds, [10, 100, 1000, 1000]);
    }

    #[test]
    fn log_lines() {
        let link = Link {
            speed: Speed::Mbps100,
            duplex: Duplex::Half,
            pause: Pause::NONE,
        };
        assert_eq!(link.to_string(), "100 Mb/s, half duplex, flow control none");
        let cause = Cause::Phy {
            class: MdicError::Flagged,
            reg: 1,
        };
        assert_eq!(
            cause.to_string(),
            "PHY register 1: MDIC error bit set by the device"
        );
    }
}

mod packet_buffer_tests {
    use super::packet_buffer::{
        max_tx_bytes,
        split,
        water_marks, //
    };

    #[test]
    fn known_splits() {
        assert_eq!(split(1522), (32, 8));
        assert_eq!(split(4000), (32, 8));
        // What the in-tree driver arrives at for its longest frame.
        assert_eq!(split(9234), (21, 19));
        // Nobody may ask for more, but it must not break anything.
        assert_eq!(split(u32::MAX), split(9234));
    }

    #[test]
    fn both_directions_have_room() {
        for frame in 64..=9234u32 {
            let (rx, tx) = split(frame);
            assert_eq!(rx + tx, 40, "{frame}: the whole buffer is used");
            assert!(
                u32::from(tx) * 1024 >= 2 * (frame + 16),
                "{frame}: two to send"
            );
            assert!(u32::from(rx) * 1024 >= frame, "{frame}: one to receive");
            assert!(
                max_tx_bytes(frame) >= frame,
                "{frame}: one descriptor, one frame"
            );
            assert!(max_tx_bytes(frame) <= u32::from(tx) * 1024 - 96);
        }
    }

    #[test]
    fn water_marks_leave_room_for_a_frame() {
        for frame in 64..=9234 {
            let (low, high) = water_marks(frame);
            let buffer = u32::from(split(frame).0) * 1024;
            assert_eq!((low % 8, high % 8), (0, 0));
            assert!(low < high && low > 0, "{frame}");
            assert!(high + frame <= buffer, "{frame}");
            assert!(high <= buffer * 9 / 10, "{frame}");
        }
        assert_eq!(water_marks(1522), (0x7328, 0x7330));
    }
}

/// Descriptors, bit by bit as the datasheet draws them (3.2.4, 3.3.5, 3.3.6). QEMU's device works
/// out header lengths and checksum offsets by itself, so nothing but this would notice a wrong one.
mod desc_tests {
    use super::desc::{
        rx,
        tx::{
            self,
            Common,
            Offload, //
        },
        Words,
    };

    /// Ethernet without a tag, IPv4 without options, TCP with timestamps.
    const TSO4: Offload = Offload::Segment {
        ipv6: false,
        network: 14,
        transport: 34,
        header_len: 66,
        mss: 1448,
        payload: 0x1_2345,
    };

    /// A data descriptor of a frame without a VLAN tag.
    fn data(len: u32, offload: Offload, last: bool) -> Words {
        tx::data(0, len, Common::new(offload, None), last)
    }

    /// The bits `high..=low` of `word`.
    fn field(word: u64, high: u32, low: u32) -> u64 {
        (word >> low) & ((1 << (high - low + 1)) - 1)
    }

    #[test]
    fn time_stamps() {
        let common = Common::new(Offload::None, None);
        let without = tx::data(0x1234, 60, common, true);
        let with = tx::data(0x1234, 60, common.with_time_stamp(), true);
        // 3.3.6: bit 0 of ExtCMD, bits 39:36 of the second word.
        assert_eq!(with, [without[0], without[1] | 1 << 36]);
        for bit in 0..64 {
            assert_eq!(rx::WriteBack::new(1 << bit).time_stamped(), bit == 8);
        }
    }

    #[test]
    fn nothing_to_do_needs_no_context() {
        assert_eq!(Offload::None.context(), None);
    }

    #[test]
    fn checksum_context() {
        // UDP over IPv4: summed from byte 34 on, the checksum at byte 40.
        let offload = Offload::Checksum {
            start: 34,
            field: 40,
        };
        let [low, high] = offload.context().unwrap();
        assert_eq!(field(low, 39, 32), 34, "TUCSS");
        assert_eq!(field(low, 47, 40), 40, "TUCSO");
        assert_eq!(field(low, 63, 48), 0, "TUCSE: to the end");
        assert_eq!(field(low, 31, 0), 0, "no IP checksum");
        assert_eq!(field(high, 23, 20), 0, "DTYP: context");
        assert_eq!(field(high, 29, 29), 1, "DEXT");
        assert_eq!(field(high, 26, 26), 0, "TSE");
        let [_, data] = data(60, offload, true);
        assert_eq!(field(data, 41, 41), 1, "TXSM");
        assert_eq!(field(data, 40, 40), 0, "IXSM");
    }

    #[test]
    fn segmentation_context_over_ipv4() {
        let [low, high] = TSO4.context().unwrap();
        assert_eq!(field(low, 7, 0), 14, "IPCSS");
        assert_eq!(field(low, 15, 8), 24, "IPCSO: byte 10 of the IP header");
        assert_eq!(field(low, 31, 16), 33, "IPCSE: last byte of the IP header");
        assert_eq!(field(low, 39, 32), 34, "TUCSS");
        assert_eq!(field(low, 47, 40), 50, "TUCSO: byte 16 of the TCP header");
        assert_eq!(field(low, 63, 48), 0, "TUCSE: to the end");
        assert_eq!(field(high, 19, 0), 0x1_2345, "PAYLEN");
        assert_eq!(field(high, 23, 20), 0, "DTYP: context");
        assert_eq!(field(high, 24, 24), 1, "TCP");
        assert_eq!(field(high, 25, 25), 1, "IP");
        assert_eq!(field(high, 26, 26), 1, "TSE");
        assert_eq!(field(high, 29, 29), 1, "DEXT");
        assert_eq!(field(high, 39, 32), 0, "STA");
        assert_eq!(field(high, 47, 40), 66, "HDRLEN");
        assert_eq!(field(high, 63, 48), 1448, "MSS");
        let [_, data] = data(60, TSO4, false);
        assert_eq!(field(data, 26, 26), 1, "TSE");
        assert_eq!(field(data, 41, 40), 3, "TXSM and IXSM");
    }

    #[test]
    fn segmentation_context_over_ipv6() {
        let offload = Offload::Segment {
            ipv6: true,
            network: 14,
            transport: 54,
            header_len: 86,
            mss: 1428,
            payload: 3000,
        };
        let [low, high] = offload.context().unwrap();
        assert_eq!(field(low, 31, 8), 0, "no IP checksum");
        assert_eq!(field(low, 39, 32), 54, "TUCSS");
        assert_eq!(field(low, 47, 40), 70, "TUCSO");
        assert_eq!(field(high, 25, 25), 0, "IP: not version 4");
        assert_eq!(field(high, 47, 40), 86, "HDRLEN");
        let [_, data] = data(60, offload, false);
        assert_eq!(field(data, 41, 40), 2, "TXSM only");
    }

    #[test]
    fn data_descriptor() {
        let [addr, word] = tx::data(
            0x1234_5678_9abc_def0,
            0xf_ffff,
            Common::new(Offload::None, None),
            false,
        );
        assert_eq!(addr, 0x1234_5678_9abc_def0);
        assert_eq!(field(word, 19, 0), 0xf_ffff, "DTALEN");
        assert_eq!(field(word, 23, 20), 1, "DTYP: data");
        assert_eq!(field(word, 25, 25), 1, "IFCS");
        assert_eq!(field(word, 29, 29), 1, "DEXT");
        assert_eq!(field(word, 24, 24), 0, "EOP");
        assert_eq!(field(word, 27, 27), 0, "RS");
        assert_eq!(field(word, 31, 31), 0, "IDE");
        assert_eq!(field(word, 63, 32), 0, "STA, POPTS, VLAN");
        let [_, last] = data(60, Offload::None, true);
        assert_eq!(last ^ data(60, Offload::None, false)[1], 1 << 24 | 1 << 27);
        assert!(!tx::done(last));
        assert!(tx::done(last | 1 << 32), "DD");
    }

    #[test]
    fn vlan_tag() {
        let with = |last| tx::data(0, 60, Common::new(TSO4, Some(0xe123)), last)[1];
        for last in [false, true] {
            assert_eq!(field(with(last), 30, 30), 1, "VLE");
            assert_eq!(field(with(last), 63, 48), 0xe123, "VLAN");
            let rest = with(last) & !(1 << 30 | 0xffff << 48);
            assert_eq!(rest, data(60, TSO4, last)[1]);
        }
        assert_eq!(rx::WriteBack::new(0xe123_0040_0000_0003).vlan_tag(), None);
        let word = rx::WriteBack::new(0xe123_0040_0000_000b);
        assert_eq!(word.vlan_tag(), Some(0xe123));
        assert_eq!(word.len(), 64);
    }

    #[test]
    fn hash() {
        let word = |kind: u64| rx::Hash::new(0x1234_5678_0000_0100 | kind).get();
        assert_eq!(word(0), None);
        for (kind, ports) in [(1, true), (2, false), (3, true), (4, false), (5, false)] {
            assert_eq!(word(kind), Some((0x1234_5678, ports)), "{kind}");
        }
    }

    #[test]
    fn offered_buffer_is_not_done() {
        let [addr, word] = rx::offer(0xfeed_f00d_0000_0040);
        assert_eq!(addr, 0xfeed_f00d_0000_0040);
        assert!(!rx::WriteBack::new(word).done());
    }

    #[test]
    fn write_back() {
        let word = rx::WriteBack::new(0xffff_05ea_0000_0003);
        assert!(word.done() && word.end_of_packet() && !word.damaged());
        assert_eq!(word.len(), 0x05ea, "without the VLAN tag above it");
        for bit in 0..32 {
            let word = rx::WriteBack::new(1 << bit);
            assert_eq!(word.done(), bit == 0);
            assert_eq!(word.end_of_packet(), bit == 1);
            assert_eq!(word.damaged(), [24, 25, 26, 28, 31].contains(&bit), "{bit}");
            assert_eq!(word.len(), 0);
        }
    }

    #[test]
    fn checksum_verdict() {
        const IXSM: u64 = 1 << 2;
        const UDPCS: u64 = 1 << 4;
        const TCPCS: u64 = 1 << 5;
        const IPCS: u64 = 1 << 6;
        const TCPE: u64 = 1 << 29;
        const IPE: u64 = 1 << 30;
        for (word, ok, bad) in [
            (0, false, false),
            (IPCS, false, false),
            (IPCS | TCPCS, true, false),
            (IPCS | UDPCS, true, false),
            (TCPCS, true, false),
            (IPCS | TCPCS | TCPE, false, true),
            (IPCS | TCPCS | IPE, false, true),
            (IXSM | IPCS | TCPCS, false, false),
            (IXSM | TCPE, false, false),
        ] {
            let word = rx::WriteBack::new(word);
            assert_eq!((word.checksum_ok(), word.checksum_bad()), (ok, bad));
        }
    }
}

mod systim_tests {
    use super::systim::{
        SystemTime,
        TimeCounter, //
    };

    const TIME: SystemTime = SystemTime::MHZ_25;
    /// One nanosecond of `SYSTIM`.
    const NS: u64 = 1 << 18;

    #[test]
    fn increment_is_the_nearest_step() {
        assert_eq!(TIME.timinca(TIME.increment(0)), 0x01a0_0000);
        for ppm in [-599_999i64, -100_000, -1, 1, 37, 100_000, 599_999] {
            let exact = f64::from(40 << 18) * (1.0 + ppm as f64 / 1e6);
            let found = f64::from(TIME.increment(ppm << 16));
            assert!((found - exact).abs() <= 0.5, "{ppm}: {found} {exact}");
        }
        // A tenth of a step, and the other half of one.
        assert_eq!(TIME.increment(625), 40 << 18);
        assert_eq!(TIME.increment(6250 / 2 + 10), (40 << 18) + 1);
        assert_eq!(TIME.increment(-6250 / 2 - 10), (40 << 18) - 1);
    }

    #[test]
    fn increment_stays_in_its_field() {
        for scaled_ppm in [i64::MIN, i64::MIN + 1, -(1 << 40), 1 << 40, i64::MAX] {
            assert!(
                (1..1 << 24).contains(&TIME.increment(scaled_ppm)),
                "{scaled_ppm}"
            );
        }
        // What the clock says is the largest change is one that the field can hold.
        let most = i64::from(TIME.max_adj) * 65536 / 1000;
        let exact = 1.0 + f64::from(TIME.max_adj) / 1e9;
        let found = f64::from(TIME.increment(most)) / f64::from(40 << 18);
        assert!((found - exact).abs() < 1e-7, "{found}");
    }

    #[test]
    fn counter_counts_nanoseconds_and_keeps_the_rest() {
        let mut counter = TimeCounter::new(&TIME, 1000, 5);
        assert_eq!(counter.at(1000), 5);
        assert_eq!(counter.at(1000 + NS - 1), 5);
        assert_eq!(counter.at(1000 + NS), 6);
        // A third of a nanosecond at a time comes to a nanosecond after three.
        for i in 1..=3000 {
            counter.update(1000 + i * NS / 3);
        }
        assert_eq!(counter.last(), 5 + 1000);
    }

    #[test]
    fn counter_knows_the_past() {
        let counter = TimeCounter::new(&TIME, 1 << 40, 1_000_000);
        assert_eq!(counter.at((1 << 40) - 250 * NS), 1_000_000 - 250);
        assert_eq!(counter.at((1 << 40) - 1), 999_999);
    }

    #[test]
    fn counter_runs_over() {
        let mut counter = TimeCounter::new(&TIME, u64::MAX - 10 * NS, 0);
        assert_eq!(counter.at(20 * NS), 30);
        // 60 hours, looked at every nine.
        let hour = 3_600_000_000_000u64;
        for i in 1..=7u64 {
            counter.update((u64::MAX - 10 * NS).wrapping_add((i * 9 * hour).wrapping_mul(NS)));
        }
        assert_eq!(counter.last(), (63 * hour) as i64);
    }

    #[test]
    fn counter_is_shifted() {
        let mut counter = TimeCounter::new(&TIME, 0, 100);
        counter.shift_by(-300);
        assert_eq!(counter.at(50 * NS), -150);
        counter.shift_by(1000);
        assert_eq!(counter.at(50 * NS), 850);
    }

    #[test]
    fn wrong_bits_are_noticed() {
        let increment = TIME.increment(0);
        let step = u64::from(increment);
        let first = 123_456 * step;
        assert!(TIME.plausible(first, first, increment));
        assert!(TIME.plausible(first, first + 25 * step, increment));
        for bit in 0..64 {
            // A bit that is wrong in either of them.
            assert!(
                !TIME.plausible(first, (first + 25 * step) ^ 1 << bit, increment),
                "{bit}"
            );
            assert!(
                !TIME.plausible(first ^ 1 << bit, first + 25 * step, increment),
                "{bit}"
            );
        }
        assert!(!TIME.plausible(first + step, first, increment));
        // A model whose clock stands still.
        assert!(TIME.plausible(7, 7, 0));
        assert!(!TIME.plausible(7, 8, 0));
    }
}

/// The 82579's PHY. Numbers are those of the in-tree driver's headers, not of the module.
mod hv_tests {
    use super::hv_values::{
        configured,
        k1,
        lights,
        lpi_control,
        oem_bits,
        place,
        preamble,
        receive_address,
        smbus_address,
        K1, //
    };

    #[test]
    fn ieee_registers_need_no_page_and_are_behind_address_2() {
        for reg in 0..=15 {
            assert_eq!(place(0, reg), (2, None));
        }
    }

    #[test]
    fn page_0_is_selected_for_registers_from_16_on() {
        for reg in 16..=31 {
            assert_eq!(place(0, reg), (2, Some((31, 0))));
        }
    }

    #[test]
    fn high_pages_are_behind_address_1_and_selected_times_32() {
        assert_eq!(place(769, 16), (1, Some((31, 0x6020))));
        assert_eq!(place(770, 17), (1, Some((31, 0x6040))));
        assert_eq!(place(772, 20), (1, Some((31, 0x6080))));
        assert_eq!(place(776, 23), (1, Some((31, 0x6100))));
        assert_eq!(place(800, 17), (1, Some((31, 0x6400))));
        assert_eq!(place(769, 5), (1, None));
    }

    #[test]
    fn page_768_is_selected_as_0() {
        assert_eq!(place(768, 25), (1, Some((31, 0))));
    }

    #[test]
    fn configuration_by_the_nvm() {
        // A write to register 31 is kept as the page of those that follow.
        assert_eq!(configured(31, 0), None);
        assert_eq!(configured(16, 0x6020), Some((769, 16)));
        assert_eq!(configured(0x19, 0x6000), Some((768, 25)));
        assert_eq!(configured(4, 0), Some((0, 4)));
    }

    #[test]
    fn smbus() {
        assert_eq!(smbus_address(0, 0x64), 0x02e4);
        assert_eq!(smbus_address(0xffff, 0), 0xff80 | 0x0200);
        assert_eq!(smbus_address(0x1100, 0xff), 0x1100 | 0x02ff);
    }

    #[test]
    fn oem() {
        assert_eq!(oem_bits(0xffff, false, false, false), 0xffff & !0x0044);
        assert_eq!(oem_bits(0, true, false, false), 0x0040);
        assert_eq!(oem_bits(0, false, true, true), 0x0404);
    }

    #[test]
    fn low_power_idle_where_both_can() {
        let both = 0b110;
        assert_eq!(lpi_control(0x6080, 0, both, true), 0x0080);
        assert_eq!(lpi_control(0, both, both, true), 0x6000);
        assert_eq!(lpi_control(0, both, 0b100, true), 0x4000);
        assert_eq!(lpi_control(0, 0b010, both, true), 0x2000);
        // Not in half duplex at 100 Mb/s.
        assert_eq!(lpi_control(0, both, both, false), 0x4000);
    }

    #[test]
    fn k1_by_speed() {
        assert_eq!(k1(0x1040 | 0x0200), K1::Off);
        assert_eq!(k1(0x1040 | 0x0100), K1::Off);
        assert_eq!(k1(0x1040), K1::LongBeacon);
        assert_eq!(k1(0x0040 | 0x0200), K1::Nothing);
        assert_eq!(k1(0x1000 | 0x0200), K1::Nothing);
    }

    #[test]
    fn preamble_by_duplex() {
        assert_eq!(preamble(0xf123, false), 0x8123);
        assert_eq!(preamble(0x7000, true), 0x1000);
    }

    #[test]
    fn lights_are_on_with_and_without_a_link() {
        // Three times the mode "link", or that inverted.
        assert_eq!(lights(true, true), 0b00010_00010_00010);
        assert_eq!(lights(false, false), 0b00010_00010_00010);
        assert_eq!(lights(true, false), 0b01010_01010_01010);
        assert_eq!(lights(false, true), 0b01010_01010_01010);
    }

    #[test]
    fn receive_address_in_four_parts() {
        assert_eq!(
            receive_address(0x1200_5452, 0x8000_5634),
            [0x5452, 0x1200, 0x5634, 0x8000]
        );
        assert_eq!(receive_address(0, 0x0001_5634)[3], 0);
    }
}

mod kmrn_tests {
    use super::kmrn::{
        data,
        half_duplex,
        read,
        write,
        CONTROL,
        HALF_DUPLEX,
        INBAND,
        TIMEOUTS, //
    };

    #[test]
    fn commands() {
        assert_eq!(read(CONTROL), 0x0021_0000);
        assert_eq!(read(INBAND), 0x0029_0000);
        assert_eq!(write(TIMEOUTS, 0xffff), 0x0004_ffff);
        assert_eq!(write(HALF_DUPLEX, 0x0b00), 0x0010_0b00);
        assert_eq!(write(0xff, 0), 0x001f_0000);
        assert_eq!(data(0x0029_1234), 0x1234);
    }

    #[test]
    fn half_duplex_for_all_lengths() {
        assert_eq!(half_duplex(0xffff), 0xfbff);
        assert_eq!(half_duplex(0), 0x0b00);
    }
}

mod region_tests {
    use super::region::{
        is_valid,
        made_valid,
        not_yet,
        Bank,
        Region,
        WORDS, //
    };

    /// Sectors 3 and 4: 4 KiB for each bank.
    const GFPREG: u32 = 0x0004_0003;

    #[test]
    fn banks_are_halves_of_the_region() {
        let region = Region::from_gfpreg(GFPREG).unwrap();
        assert_eq!(region.address(Bank::First, 0), Some(0x3000));
        assert_eq!(region.address(Bank::First, 0x26), Some(0x3026));
        assert_eq!(region.address(Bank::Second, 0), Some(0x4000));
        assert_eq!(region.address(Bank::Second, 4095), Some(0x4fff));
        assert_eq!(region.address(Bank::Second, 4096), None);
        // A larger one: the second bank begins in its middle.
        let region = Region::from_gfpreg(0x0004_0001).unwrap();
        assert_eq!(region.address(Bank::Second, 1), Some(0x3001));
        assert_eq!(WORDS, 2048);
    }

    #[test]
    fn no_region() {
        // The end before the beginning, as where there is none.
        assert_eq!(Region::from_gfpreg(0x0000_1fff), None);
        // Room for one bank only.
        assert_eq!(Region::from_gfpreg(0x0003_0003), None);
        // Bits beside the fields do not count.
        assert_eq!(
            Region::from_gfpreg(GFPREG | 0xe000_e000),
            Region::from_gfpreg(GFPREG)
        );
    }

    #[test]
    fn the_valid_bank_is_chosen() {
        let (valid, erased, used) = (0x8000, 0xffff, 0x0000);
        assert_eq!(Bank::choose(valid, erased), Some(Bank::First));
        assert_eq!(Bank::choose(valid, valid), Some(Bank::First));
        assert_eq!(Bank::choose(used, valid), Some(Bank::Second));
        assert_eq!(Bank::choose(erased, valid | 0x3fff), Some(Bank::Second));
        assert_eq!(Bank::choose(erased, used), None);
        assert_eq!(Bank::choose(0x4000, 0xc000), None);
        assert_eq!(Bank::First.other(), Bank::Second);
        assert_eq!(Bank::Second.other(), Bank::First);
    }

    #[test]
    fn a_bank_becomes_valid_by_clearing_one_bit() {
        for word in [0x8000, 0xbfff, 0x9234, 0x0000] {
            let before = not_yet(word);
            assert!(!is_valid(before));
            let after = made_valid(before);
            assert!(is_valid(after));
            assert_eq!(before & !after, 0x4000, "bits are only cleared");
            assert_eq!(after & !before, 0);
            assert_eq!(after & 0x3fff, word & 0x3fff, "the rest stays");
        }
    }

    #[test]
    fn erased_piece_by_piece() {
        let region = Region::from_gfpreg(GFPREG).unwrap();
        let pieces = |bank, code| region.pieces(bank, code).map(|p| p.collect::<Vec<_>>());
        assert_eq!(pieces(Bank::Second, 1), Some(vec![0x4000]));
        let small = pieces(Bank::First, 0).unwrap();
        assert_eq!(small.len(), 16);
        assert_eq!(small[0], 0x3000);
        assert_eq!(small[15], 0x3f00);
        // Larger pieces would take the other bank along.
        assert_eq!(pieces(Bank::First, 2), None);
        assert_eq!(pieces(Bank::Second, 3), None);
        assert_eq!(pieces(Bank::First, 4), None);
    }
}

mod pch2_tests {
    use super::{
        filter::initial_crc,
        packet_buffer::pch2,
        systim::SystemTime, //
    };

    #[test]
    fn packet_buffer() {
        assert_eq!(pch2::rx_share(1522), 26);
        assert_eq!(pch2::rx_share(1523), 14);
        assert_eq!(pch2::rx_share(pch2::MAX_FRAME + 4), 14);
        assert_eq!(pch2::water_marks(1522), (0x5048, 0x5c20));
        assert_eq!(pch2::water_marks(9022), (11464, 12896));
        for frame in [64, 1522, 1523, 9022] {
            let (low, high) = pch2::water_marks(frame);
            assert!(low < high && high < u32::from(pch2::rx_share(frame)) * 1024);
            assert_eq!((low | high) & 7, 0);
        }
        assert_eq!(pch2::max_tx_bytes(14), 14 * 1024 - 96);
        assert_eq!(pch2::max_tx_bytes(0), 4096);
        assert_eq!(pch2::max_tx_bytes(64), 24 * 1024);
    }

    /// Every third tick of 96 MHz is 31.25 ns.
    #[test]
    fn clock_counts_nanoseconds() {
        let time = SystemTime::MHZ_96;
        assert_eq!(time.increment, 125 << 17);
        assert_eq!(time.timinca(time.increment) >> 24, 3);
        assert!(time.increment < 1 << 24);
        // 32 million periods are a second.
        assert_eq!(
            u64::from(time.increment) * 32_000_000 >> time.shift,
            1_000_000_000
        );
        // The largest adjustment fits the field.
        let most = i64::from(time.max_adj) * 65536 / 1000;
        assert!(time.increment(most) < 1 << 24);
        assert!(time.increment(-most) > 0);
    }

    /// The check value of CRC-32 is over nine octets; these are by Python's `zlib.crc32`.
    #[test]
    fn crc_of_addresses() {
        assert_eq!(initial_crc(&[0; 6]), 0xb1c2_a1a3);
        assert_eq!(initial_crc(b"123456"), 0x0972_d361);
        assert_eq!(initial_crc(&[0x52, 0x54, 0x00, 0x12, 0x34, 0x56]), CRC);
    }
    const CRC: u32 = 0x1b97_117c;
}
