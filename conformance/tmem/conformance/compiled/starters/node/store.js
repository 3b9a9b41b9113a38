// A naive store that answers frames on its standard streams. Its pools are private, ephemeral or persistent.
"use strict";
const fs = require("fs");

const FAULT = Boolean(process.env.FAULT); // make fault sets it
const PAGE = 4096, LONGEST = 68 + PAGE, VERSION = 1;
const EPERM = 1, ENODEV = 19, EINVAL = 22, ENOSYS = 38, EMSGSIZE = 90;
const HELLO = 0, OPERATION = 1, CLOSE = 4;
const NEW_POOL = 1, DESTROY_POOL = 2, PUT = 4, GET = 5, FLUSH_PAGE = 6, FLUSH_OBJECT = 7;
const FLAGS = 1 | 1 << 24; // persistent, version 1
const pools = new Map(); // "client:pool" to {persistent, objects: object id to a Map of pages by index}
let inSession = false, made = 0;

function answer(kind, client, body) {
  if (kind === HELLO) return hello(body);
  if (kind !== OPERATION && kind !== CLOSE) return [-ENOSYS];
  if (!inSession) return [-EINVAL];
  if (kind === OPERATION) return body.length < 56 ? [-EINVAL] : operation(client, body, body.subarray(56));
  if (body.length) return [-EINVAL];
  pools.clear();
  inSession = false;
  return [0];
}

function hello(body) {
  if (inSession || body.length !== 24 || body.toString("latin1", 0, 4) !== "tmem") return [-EINVAL];
  const known = body.readUInt16LE(4) === VERSION;
  if (!known || body.subarray(6).some(Boolean)) return [-EPERM]; // a key would join another session
  inSession = true;
  const welcome = Buffer.alloc(32); // no abilities, one connection
  welcome.writeUInt32LE(PAGE, 0);
  welcome.writeUInt32LE(LONGEST, 8);
  return [VERSION, welcome];
}

function operation(client, op, page) {
  const command = op.readUInt32LE(0), id = op.readInt32LE(4);
  if (![NEW_POOL, DESTROY_POOL, PUT, GET, FLUSH_PAGE, FLUSH_OBJECT].includes(command)) return [-EINVAL];
  if (page.length !== (command === PUT ? PAGE : 0)) return [-EINVAL];
  if (command === NEW_POOL) {
    const flags = op.readUInt32LE(24);
    if ((flags & ~FLAGS) !== 0) return [-EPERM];
    pools.set(`${client}:${++made}`, { persistent: Boolean(flags & 1), objects: new Map() });
    return [made];
  }
  const pool = pools.get(`${client}:${id}`);
  if (!pool) return [-ENODEV];
  const oid = op.toString("hex", 8, 32), index = op.readUInt32LE(32);
  const object = pool.objects.get(oid) ?? new Map(), found = object.get(index);
  switch (command) {
    case PUT:
      pool.objects.set(oid, object.set(index, Buffer.from(page)));
      return [1];
    case GET:
      if (found && !pool.persistent && !FAULT) object.delete(index);
      return found ? [1, found] : [0];
    case FLUSH_PAGE:
      return [Number(object.delete(index))];
    case FLUSH_OBJECT:
      return [Number(pool.objects.delete(oid))];
    default:
      return [Number(pools.delete(`${client}:${id}`))];
  }
}

function say(tag, number, body = Buffer.alloc(0)) {
  const head = Buffer.alloc(16);
  head.writeUInt32LE(12 + body.length, 0);
  head.writeUInt32LE(tag, 4);
  head.writeBigInt64LE(BigInt(number), 8);
  const frame = Buffer.concat([head, body]);
  for (let at = 0; at < frame.length; ) at += fs.writeSync(1, frame, at);
}

function read(size) {
  const data = Buffer.alloc(size);
  for (let at = 0; at < size; ) {
    const more = fs.readSync(0, data, at, size - at);
    if (!more) process.exit(0); // the peer sends no more
    at += more;
  }
  return data;
}

for (;;) {
  const length = read(4).readUInt32LE(0);
  if (length < 8 || length > LONGEST - 4) {
    say(0, length < 8 ? -EINVAL : -EMSGSIZE);
    break;
  }
  const frame = read(length);
  say(frame.readUInt32LE(0), ...answer(frame.readUInt16LE(4), frame.readUInt16LE(6), frame.subarray(8)));
}
