//! A naive store that answers frames on its standard streams. Its pools are private, ephemeral or persistent.
use std::collections::BTreeMap;
use std::io::{self, Read, Write};

const PAGE: usize = 4096;
const LONGEST: usize = 68 + PAGE;
const VERSION: u16 = 1;
const FLAGS: u32 = 1 | 1 << 24; // persistent, version 1
const EPERM: i64 = 1;
const ENODEV: i64 = 19;
const EINVAL: i64 = 22;
const ENOSYS: i64 = 38;
const EMSGSIZE: i64 = 90;
const HELLO: u16 = 0;
const OPERATION: u16 = 1;
const CLOSE: u16 = 4;
const NEW_POOL: u32 = 1;
const DESTROY_POOL: u32 = 2;
const PUT: u32 = 4;
const GET: u32 = 5;
const FLUSH_PAGE: u32 = 6;
const FLUSH_OBJECT: u32 = 7;
type Reply = Result<(i64, Vec<u8>), i64>;
type Slot = (i32, [u8; 24], u32);

#[derive(Default)]
struct Store {
    fault: bool,
    in_session: bool,
    made: i32,
    pools: BTreeMap<(u16, i32), bool>,
    pages: BTreeMap<Slot, Vec<u8>>,
}

impl Store {
    fn answer(&mut self, kind: u16, client: u16, body: &[u8]) -> Reply {
        match kind {
            HELLO => self.hello(body),
            OPERATION | CLOSE if !self.in_session => Err(EINVAL),
            OPERATION if body.len() >= 56 => self.operation(client, &body[..56], &body[56..]),
            CLOSE if body.is_empty() => {
                self.pools.clear();
                self.pages.clear();
                self.in_session = false;
                number(0)
            }
            OPERATION | CLOSE => Err(EINVAL),
            _ => Err(ENOSYS),
        }
    }

    fn hello(&mut self, body: &[u8]) -> Reply {
        if self.in_session || body.len() != 24 || &body[..4] != b"tmem" {
            return Err(EINVAL);
        }
        if body[4..6] != VERSION.to_le_bytes() || body[6..].iter().any(|&byte| byte != 0) {
            return Err(EPERM); // another version, or a key that would join another session
        }
        self.in_session = true;
        let mut welcome = vec![0; 32]; // no abilities, one connection
        welcome[..4].copy_from_slice(&(PAGE as u32).to_le_bytes());
        welcome[8..12].copy_from_slice(&(LONGEST as u32).to_le_bytes());
        Ok((VERSION.into(), welcome))
    }

    fn operation(&mut self, client: u16, op: &[u8], page: &[u8]) -> Reply {
        let (command, pool) = (u32_at(op, 0), u32_at(op, 4) as i32);
        let oid: [u8; 24] = op[8..32].try_into().unwrap();
        let slot = (pool, oid, u32_at(op, 32));
        if !matches!(command, NEW_POOL | DESTROY_POOL | PUT..=FLUSH_OBJECT) || page.len() != if command == PUT { PAGE } else { 0 } {
            return Err(EINVAL);
        }
        if command == NEW_POOL {
            let flags = u32_at(op, 24);
            if flags & !FLAGS != 0 {
                return Err(EPERM);
            }
            self.made += 1;
            self.pools.insert((client, self.made), flags & 1 != 0);
            return number(self.made.into());
        }
        let persistent = *self.pools.get(&(client, pool)).ok_or(ENODEV)?;
        let held = self.pages.len();
        match command {
            PUT => {
                self.pages.insert(slot, page.to_vec());
                return number(1);
            }
            GET => {
                let found = if persistent || self.fault { self.pages.get(&slot).cloned() } else { self.pages.remove(&slot) };
                return Ok(found.map_or((0, vec![]), |page| (1, page)));
            }
            FLUSH_PAGE => drop(self.pages.remove(&slot)),
            FLUSH_OBJECT => self.pages.retain(|each, _| each.0 != pool || each.1 != oid),
            _ => {
                self.pages.retain(|each, _| each.0 != pool);
                return number(self.pools.remove(&(client, pool)).is_some().into());
            }
        }
        number((self.pages.len() < held).into())
    }
}

fn number(number: i64) -> Reply {
    Ok((number, vec![]))
}

fn u32_at(data: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(data[at..at + 4].try_into().unwrap())
}

fn say(tag: u32, reply: Reply) -> io::Result<()> {
    let (number, body) = reply.unwrap_or_else(|errno| (-errno, vec![]));
    let mut frame = Vec::with_capacity(16 + body.len());
    frame.extend((12 + body.len() as u32).to_le_bytes());
    frame.extend(tag.to_le_bytes());
    frame.extend(number.to_le_bytes());
    frame.extend(body);
    let mut out = io::stdout().lock();
    out.write_all(&frame)?;
    out.flush()
}

fn main() -> io::Result<()> {
    let mut store = Store { fault: std::env::var_os("FAULT").is_some(), ..Store::default() }; // make fault sets it
    let mut input = io::stdin().lock();
    let mut head = [0; 4];
    while input.read_exact(&mut head).is_ok() {
        let length = u32::from_le_bytes(head) as usize;
        if !(8..=LONGEST - 4).contains(&length) {
            return say(0, Err(if length < 8 { EINVAL } else { EMSGSIZE }));
        }
        let mut frame = vec![0; length];
        if input.read_exact(&mut frame).is_err() {
            break; // half a request: the peer is gone
        }
        let (kind, client) = (u16::from_le_bytes([frame[4], frame[5]]), u16::from_le_bytes([frame[6], frame[7]]));
        say(u32_at(&frame, 0), store.answer(kind, client, &frame[8..]))?;
    }
    Ok(())
}
