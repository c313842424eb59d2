// SPDX-License-Identifier: GPL-2.0

//! The PCI configuration space: what it holds, and which bits a write changes (datasheet 9;
//! PCI Express Base Specification 7.5). QEMU emulates the base addresses, MSI and MSI-X, and
//! hands the rest on.

/// Extended configuration space and all.
pub const SIZE: usize = 4096;

const COMMAND: usize = 0x04;
const STATUS: usize = 0x06;
const CAPABILITIES: usize = 0x34;

/// A configuration space.
pub struct Config {
    bytes: Vec<u8>,
    writable: Vec<u8>,
    /// Written ones clear these.
    clears: Vec<u8>,
    next: usize,
    last: usize,
    /// Offset of the PCI Express capability, if there is one.
    express: Option<usize>,
    msix: Option<usize>,
    msi: Option<usize>,
    pm: Option<usize>,
    defaults: Vec<u8>,
}

/// What a function is known by.
pub struct Identity {
    pub device: u16,
    pub revision: u8,
    pub subsystem: u16,
}

impl Config {
    /// A network controller of Intel's without capabilities.
    pub fn new(identity: &Identity, size: usize) -> Self {
        let mut config = Self {
            bytes: vec![0; size],
            writable: vec![0; size],
            clears: vec![0; size],
            next: 0xc8,
            last: CAPABILITIES,
            express: None,
            msix: None,
            msi: None,
            pm: None,
            defaults: vec![],
        };
        config.put16(0x00, 0x8086);
        config.put16(0x02, identity.device);
        config.put16(STATUS, 1 << 4);
        config.bytes[0x08] = identity.revision;
        config.bytes[0x0b] = 0x02; // network controller, Ethernet
        config.put16(0x2c, 0x8086);
        config.put16(0x2e, identity.subsystem);
        config.bytes[0x3d] = 1; // INTA
        config.allow16(COMMAND, 0x0547);
        config.writable[0x0c] = 0xff;
        config.writable[0x3c] = 0xff;
        config
    }

    pub fn size(&self) -> usize {
        self.bytes.len()
    }

    fn put16(&mut self, offset: usize, value: u16) {
        self.bytes[offset..offset + 2].copy_from_slice(&value.to_le_bytes());
    }

    fn put32(&mut self, offset: usize, value: u32) {
        self.bytes[offset..offset + 4].copy_from_slice(&value.to_le_bytes());
    }

    fn allow16(&mut self, offset: usize, bits: u16) {
        self.writable[offset..offset + 2].copy_from_slice(&bits.to_le_bytes());
    }

    fn get16(&self, offset: usize) -> u16 {
        u16::from_le_bytes([self.bytes[offset], self.bytes[offset + 1]])
    }

    /// A memory base address register: its kind and size.
    pub fn bar(&mut self, number: usize, size: u32) {
        let offset = 0x10 + 4 * number;
        let mask = !(size - 1);
        self.writable[offset..offset + 4].copy_from_slice(&mask.to_le_bytes());
    }

    fn capability(&mut self, id: u8, length: usize) -> usize {
        let offset = self.next;
        self.bytes[self.last] = offset as u8;
        self.last = offset + 1;
        self.bytes[offset] = id;
        self.next = (offset + length + 3) & !3;
        offset
    }

    /// Power management (9.3.1): D3hot and PME from D0 and D3, not from cold.
    pub fn with_pm(mut self) -> Self {
        let offset = self.capability(0x01, 8);
        self.put16(offset + 2, 0xc822);
        self.allow16(offset + 4, 0x1f03);
        self.pm = Some(offset);
        self
    }

    /// MSI with a 64-bit address (9.3.2).
    pub fn with_msi(mut self) -> Self {
        self.next = 0xd0;
        let offset = self.capability(0x05, 14);
        self.put16(offset + 2, 1 << 7);
        self.allow16(offset + 2, 0x0071);
        for byte in &mut self.writable[offset + 4..offset + 14] {
            *byte = 0xff;
        }
        self.writable[offset + 4] = 0xfc;
        self.msi = Some(offset);
        self
    }

    /// MSI-X in BAR 3: the table at its start, the pending bits at 0x2000 (9.3.3).
    pub fn with_msix(mut self, vectors: u16) -> Self {
        self.next = 0xa0;
        let offset = self.capability(0x11, 12);
        self.put16(offset + 2, vectors - 1);
        self.allow16(offset + 2, 0xc000);
        self.put32(offset + 4, 3);
        self.put32(offset + 8, 0x2000 | 3);
        self.msix = Some(offset);
        self
    }

    /// PCI Express, an endpoint with one lane at 2.5 GT/s that can L0s and L1 (9.3.5; Link
    /// Control's ASPM bits stick as 9.3.5.8 says, which QEMU's own device does not let them).
    pub fn with_express(mut self) -> Self {
        self.next = 0xe0;
        let offset = self.capability(0x10, 0x14);
        self.put16(offset + 2, 0x0001);
        self.put32(offset + 4, 0x0000_8cc1); // L0s below 512 ns, L1 below 64 us, 256 bytes
        self.put16(offset + 8, 0x2810);
        self.allow16(offset + 8, 0x7fff);
        // Port 0, exit from L1 in under 64 us and from L0s in under 4 us, both supported, x1.
        self.put32(offset + 12, 0x0003_5c11);
        self.allow16(offset + 16, 0x01cb);
        self.put16(offset + 18, 0x1011);
        self.clears[offset + 10] = 0x0f;
        self.express = Some(offset);
        // Extended: advanced error reporting and the serial number.
        if self.size() > 0x150 {
            self.put32(0x100, 0x1401_0001);
            self.put32(0x140, 0x0001_0003);
            for register in [0x108, 0x10c, 0x114] {
                self.writable[register..register + 4].fill(0xff);
            }
            for register in [0x104, 0x110] {
                self.clears[register..register + 4].fill(0xff);
            }
            self.put32(0x10c, 0x0006_2011);
        }
        self
    }

    /// The serial number (9): the station address with ones in its middle.
    pub fn with_serial(mut self, mac: [u8; 6]) -> Self {
        let [a, b, c, d, e, f] = mac;
        self.put32(0x144, u32::from_be_bytes([0xff, d, e, f]));
        self.put32(0x148, u32::from_be_bytes([a, b, c, 0xff]));
        self
    }

    /// What is there now is what a reset of the function brings back.
    pub fn seal(mut self) -> Self {
        self.defaults = self.bytes.clone();
        self
    }

    /// A reset of the function.
    pub fn reset(&mut self) {
        self.bytes.copy_from_slice(&self.defaults);
    }

    pub fn read(&self, offset: usize, data: &mut [u8]) {
        for (index, byte) in data.iter_mut().enumerate() {
            *byte = self.bytes.get(offset + index).copied().unwrap_or(0xff);
        }
    }

    pub fn write(&mut self, offset: usize, data: &[u8]) {
        for (index, value) in data.iter().enumerate() {
            let at = offset + index;
            if let (Some(byte), Some(mask), Some(clears)) = (
                self.bytes.get_mut(at),
                self.writable.get(at),
                self.clears.get(at),
            ) {
                *byte = (*byte & !mask | value & mask) & !(value & clears);
            }
        }
    }

    pub fn bus_master(&self) -> bool {
        self.get16(COMMAND) & 1 << 2 != 0
    }

    pub fn intx_disabled(&self) -> bool {
        self.get16(COMMAND) & 1 << 10 != 0
    }

    /// The power state, 0 for D0 to 3 for D3hot.
    pub fn power(&self) -> u16 {
        self.pm.map_or(0, |offset| self.get16(offset + 4) & 3)
    }

    /// ASPM as Link Control has it: bit 0 L0s, bit 1 L1.
    pub fn aspm(&self) -> u16 {
        self.express.map_or(0, |offset| self.get16(offset + 16) & 3)
    }

    pub fn msix_enabled(&self) -> bool {
        self.msix
            .is_some_and(|offset| self.get16(offset + 2) & 1 << 15 != 0)
    }

    pub fn msi_enabled(&self) -> bool {
        self.msi
            .is_some_and(|offset| self.get16(offset + 2) & 1 != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> Config {
        let identity = Identity {
            device: 0x10d3,
            revision: 0,
            subsystem: 0xa01f,
        };
        Config::new(&identity, SIZE)
            .with_msix(5)
            .with_pm()
            .with_msi()
            .with_express()
            .seal()
    }

    #[test]
    fn the_list_of_capabilities_ends() {
        let config = config();
        let mut found = vec![];
        let mut at = usize::from(config.bytes[CAPABILITIES]);
        while at != 0 && found.len() < 8 {
            found.push(config.bytes[at]);
            at = usize::from(config.bytes[at + 1]);
        }
        assert_eq!(found, [0x11, 0x01, 0x05, 0x10]);
    }

    #[test]
    fn aspm_bits_stick_until_a_reset() {
        let mut config = config();
        let at = config.express.unwrap() + 16;
        config.write(at, &[0x43, 0x00]);
        assert_eq!(config.aspm(), 3);
        config.reset();
        assert_eq!(config.aspm(), 0);
    }

    #[test]
    fn identity_is_read_only() {
        let mut config = config();
        config.write(0, &[0; 4]);
        let mut data = [0; 4];
        config.read(0, &mut data);
        assert_eq!(data, [0x86, 0x80, 0xd3, 0x10]);
    }
}
