//! A naive store: a map of pages under one lock. Its pools are private, ephemeral or persistent.
//! What each function promises is said in tmem.h.
#![allow(clippy::missing_safety_doc)]
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

const PAGE: usize = 4096;
const PERSIST: u32 = 1;
const VERSION: u32 = 1 << 24;
const EPERM: i32 = 1;
const ENODEV: i32 = 19;
type Oid = [u64; 3];
#[repr(C)]
pub struct Config { page_size: u32, reserved: u32, budget: u64 }
#[derive(Default)]
struct State { pools: BTreeMap<i32, (u16, bool)>, pages: BTreeMap<(i32, Oid, u32), Box<[u8; PAGE]>> }
pub struct Store { state: Mutex<State>, most: usize }
impl Store {
    fn pool(&self, client: u16, pool: i32) -> Result<(MutexGuard<'_, State>, bool), i32> {
        let state = self.state.lock().unwrap();
        let found = state.pools.get(&pool).filter(|it| it.0 == client).map(|it| it.1);
        found.map(|persistent| (state, persistent)).ok_or(-ENODEV)
    }
}
fn told(answer: Result<bool, i32>) -> i32 { answer.map_or_else(|error| error, i32::from) }
#[no_mangle] pub unsafe extern "C" fn tmem_open(config: &Config) -> *mut Store {
    let most = if config.budget > 0 { config.budget as usize / PAGE } else { usize::MAX };
    Box::into_raw(Box::new(Store { state: Mutex::default(), most }))
}
#[no_mangle] pub unsafe extern "C" fn tmem_close(store: *mut Store) { drop(Box::from_raw(store)) }
#[no_mangle] pub extern "C" fn tmem_new_pool(s: &Store, client: u16, flags: u32, _uuid: *const u64) -> i32 {
    if flags & !(PERSIST | VERSION) != 0 { return -EPERM; }
    let mut state = s.state.lock().unwrap();
    let id = state.pools.keys().last().map_or(0, |id| id + 1);
    state.pools.insert(id, (client, flags & PERSIST != 0));
    id
}
#[no_mangle] pub extern "C" fn tmem_destroy_pool(s: &Store, client: u16, pool: i32) -> i32 {
    told(s.pool(client, pool).map(|(mut it, _)| { it.pages.retain(|slot, _| slot.0 != pool); it.pools.remove(&pool).is_some() }))
}
#[no_mangle] pub extern "C" fn tmem_put(s: &Store, client: u16, pool: i32, oid: &Oid, index: u32, page: &[u8; PAGE]) -> i32 {
    told(s.pool(client, pool).map(|(mut it, _)| {
        it.pages.remove(&(pool, *oid, index));
        it.pages.len() < s.most && it.pages.insert((pool, *oid, index), Box::new(*page)).is_none()
    }))
}
#[no_mangle] pub extern "C" fn tmem_get(s: &Store, client: u16, pool: i32, oid: &Oid, index: u32, page: &mut [u8; PAGE]) -> i32 {
    told(s.pool(client, pool).map(|(mut it, persistent)| {
        match it.pages.get(&(pool, *oid, index)) { Some(found) => *page = **found, None => return false }
        if cfg!(feature = "fault") { drop(it); it = s.state.lock().unwrap(); } // make fault: another get may come here
        persistent || it.pages.remove(&(pool, *oid, index)).is_some() || cfg!(feature = "fault")
    }))
}
#[no_mangle] pub extern "C" fn tmem_flush_page(s: &Store, client: u16, pool: i32, oid: &Oid, index: u32) -> i32 {
    told(s.pool(client, pool).map(|(mut it, _)| it.pages.remove(&(pool, *oid, index)).is_some()))
}
#[no_mangle] pub extern "C" fn tmem_flush_object(s: &Store, client: u16, pool: i32, oid: &Oid) -> i32 {
    told(s.pool(client, pool).map(|(mut it, _)| { let held = it.pages.len(); it.pages.retain(|slot, _| slot.0 != pool || slot.1 != *oid); it.pages.len() < held }))
}
