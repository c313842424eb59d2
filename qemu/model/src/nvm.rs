// SPDX-License-Identifier: GPL-2.0

//! The NVM: an EEPROM of words behind `EERD` and `EEWR` (datasheet 6.1, 10.2.2.4, 10.2.2.17).

use crate::faults::Nvm as Fault;

/// Words of the smallest EEPROM that the chip takes.
pub const WORDS: usize = 64;
/// What the first 64 words add up to (6.1.1: software checksum).
pub const SUM: u16 = 0xbaba;
const CHECKSUM: usize = 0x3f;

/// `EERD` and `EEWR`.
const START: u32 = 1 << 0;
const DONE: u32 = 1 << 1;

/// The unit.
pub struct Nvm {
    pub words: Vec<u16>,
    eerd: u32,
    eewr: u32,
}

impl Nvm {
    /// An NVM with a station address, and the words that a board's maker sets.
    pub fn new(mac: [u8; 6], device: u16, vectors: u16) -> Self {
        let mut words = vec![0xffff; WORDS];
        for (word, pair) in words.iter_mut().zip(mac.chunks_exact(2)) {
            *word = u16::from_le_bytes([pair[0], pair[1]]);
        }
        words[0x03] = 0x0420; // compatibility
        words[0x04] = 0x8918; // lights
        words[0x05] = 0x0101; // image version
        words[0x08] = 0x1234; // PBA number
        words[0x09] = 0x5601;
        words[0x0a] = 0x026b; // initialization control 1
        words[0x0b] = 0x0000; // subsystem
        words[0x0c] = 0x8086;
        words[0x0d] = device;
        words[0x0e] = 0x8086;
        words[0x0f] = 0x0000; // initialization control 2: no manageability
        words[0x14] = 0x0000;
        words[0x1b] = (vectors.saturating_sub(1)) << 7; // PCIe init configuration 3: MSI-X N
        words[0x23] = 0x0000;
        words[0x24] = 0x0400; // initialization control 3: APM enable
        words[0x37] = 0xffff; // no alternate address
        let mut nvm = Self {
            words,
            eerd: 0,
            eewr: 0,
        };
        nvm.seal();
        nvm
    }

    /// Whether the board has a management controller that has frames passed through (6.1.1.11:
    /// initialization control 2, bits 14:13).
    pub fn set_pass_through(&mut self, on: bool) {
        self.words[0x0f] = self.words[0x0f] & !(3 << 13) | if on { 2 << 13 } else { 0 };
        self.seal();
    }

    /// Makes the checksum right.
    pub fn seal(&mut self) {
        let sum = self.words[..CHECKSUM]
            .iter()
            .fold(0u16, |sum, word| sum.wrapping_add(*word));
        self.words[CHECKSUM] = SUM.wrapping_sub(sum);
    }

    /// The station address.
    pub fn mac(&self) -> [u8; 6] {
        let mut mac = [0; 6];
        for (pair, word) in mac.chunks_exact_mut(2).zip(&self.words) {
            pair.copy_from_slice(&word.to_le_bytes());
        }
        mac
    }

    pub fn read_eerd(&self) -> u32 {
        self.eerd
    }

    pub fn write_eerd(&mut self, value: u32, fault: &mut Fault) {
        self.eerd = value & !(DONE | 0xffff_0000);
        if value & START == 0 {
            return;
        }
        let address = (value >> 2 & 0x3fff) as usize;
        // Beyond its end an EEPROM sends ones.
        let mut word = self.words.get(address).copied().unwrap_or(0xffff);
        if address == CHECKSUM && fault.take() {
            word = word.wrapping_add(1);
        }
        self.eerd = self.eerd & !START | DONE | u32::from(word) << 16;
    }

    pub fn read_eewr(&self) -> u32 {
        self.eewr
    }

    pub fn write_eewr(&mut self, value: u32) {
        self.eewr = value & !DONE;
        if value & START == 0 {
            return;
        }
        if let Some(word) = self.words.get_mut((value >> 2 & 0x3fff) as usize) {
            *word = (value >> 16) as u16;
        }
        self.eewr = self.eewr & !START | DONE;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(nvm: &mut Nvm, fault: &mut Fault) -> u16 {
        (0..WORDS as u32)
            .map(|address| {
                nvm.write_eerd(address << 2 | START, fault);
                assert_eq!(nvm.read_eerd() & (START | DONE), DONE);
                (nvm.read_eerd() >> 16) as u16
            })
            .fold(0, u16::wrapping_add)
    }

    #[test]
    fn checksum_and_address() {
        let mac = [0x52, 0x54, 0, 0x12, 0x34, 1];
        let mut nvm = Nvm::new(mac, 0x10d3, 5);
        assert_eq!(sum(&mut nvm, &mut Fault::default()), SUM);
        assert_eq!(nvm.mac(), mac);
        let mut once = Fault { wrong: Some(1) };
        assert_ne!(sum(&mut nvm, &mut once), SUM);
        assert_eq!(sum(&mut nvm, &mut once), SUM);
    }

    #[test]
    fn writes_stay() {
        let mut nvm = Nvm::new([0; 6], 0x10d3, 5);
        nvm.write_eewr(0xabcd << 16 | 7 << 2 | START);
        assert_eq!(nvm.read_eewr() & DONE, DONE);
        nvm.write_eerd(7 << 2 | START, &mut Fault::default());
        assert_eq!(nvm.read_eerd() >> 16, 0xabcd);
    }
}
