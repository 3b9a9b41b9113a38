// A naive store that answers frames on its standard streams. Its pools are private, ephemeral or persistent.
package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"os"
)

const (
	page, longest, version                  = 4096, 68 + 4096, 1
	eperm, enodev, einval, enosys, emsgsize = 1, 19, 22, 38, 90
	hello, operation, closing               = 0, 1, 4
	newPool, destroyPool, put, get          = 1, 2, 4, 5
	flushPage, flushObject                  = 6, 7
	flags                                   = 1 | 1<<24 // persistent, version 1
)

type name struct {
	client uint16
	id     int32
}
type object map[uint32][]byte
type pool struct {
	persistent bool
	objects    map[[24]byte]object
}

var (
	fault     = os.Getenv("FAULT") != "" // make fault sets it
	little    = binary.LittleEndian
	pools     = map[name]*pool{}
	inSession bool
	made      int32
)

func answer(kind, client uint16, body []byte) (int64, []byte) {
	switch {
	case kind == hello:
		return begin(body)
	case kind != operation && kind != closing:
		return -enosys, nil
	case !inSession:
		return -einval, nil
	case kind == operation && len(body) >= 56:
		return perform(client, body[:56], body[56:])
	case len(body) != 0 || kind == operation:
		return -einval, nil
	}
	pools, inSession = map[name]*pool{}, false
	return 0, nil
}

func begin(body []byte) (int64, []byte) {
	if inSession || len(body) != 24 || string(body[:4]) != "tmem" {
		return -einval, nil
	}
	if little.Uint16(body[4:]) != version || !bytes.Equal(body[6:], make([]byte, 18)) {
		return -eperm, nil // another version, or a key that would join another session
	}
	inSession = true
	welcome := make([]byte, 32) // no abilities, one connection
	little.PutUint32(welcome, page)
	little.PutUint32(welcome[8:], longest)
	return version, welcome
}

func perform(client uint16, op, data []byte) (int64, []byte) {
	command, id := little.Uint32(op), name{client, int32(little.Uint32(op[4:]))}
	if command == 0 || command == 3 || command > flushObject {
		return -einval, nil
	}
	if command == put && len(data) != page || command != put && len(data) != 0 {
		return -einval, nil
	}
	if command == newPool {
		asked := little.Uint32(op[24:])
		if asked&^flags != 0 {
			return -eperm, nil
		}
		made++
		pools[name{client, made}] = &pool{asked&1 != 0, map[[24]byte]object{}}
		return int64(made), nil
	}
	it := pools[id]
	if it == nil {
		return -enodev, nil
	}
	var oid [24]byte
	copy(oid[:], op[8:32])
	index := little.Uint32(op[32:])
	found, there := it.objects[oid][index]
	switch command {
	case put:
		if it.objects[oid] == nil {
			it.objects[oid] = object{}
		}
		it.objects[oid][index] = data // which is read anew for each request
		return 1, nil
	case get:
		if !it.persistent && !fault {
			delete(it.objects[oid], index)
		}
	case flushPage:
		delete(it.objects[oid], index)
		found = nil
	case flushObject:
		_, there = it.objects[oid]
		delete(it.objects, oid)
		found = nil
	case destroyPool:
		delete(pools, id)
		return 1, nil
	}
	if there {
		return 1, found
	}
	return 0, nil
}

func say(tag uint32, number int64, body []byte) {
	frame := make([]byte, 16, 16+len(body))
	little.PutUint32(frame, uint32(12+len(body)))
	little.PutUint32(frame[4:], tag)
	little.PutUint64(frame[8:], uint64(number))
	if _, err := os.Stdout.Write(append(frame, body...)); err != nil {
		os.Exit(1)
	}
}

func main() {
	in := bufio.NewReader(os.Stdin)
	for head := make([]byte, 4); ; {
		if _, err := io.ReadFull(in, head); err != nil {
			return // the peer sends no more
		}
		length := little.Uint32(head)
		if length < 8 {
			say(0, -einval, nil)
			return
		}
		if length > longest-4 {
			say(0, -emsgsize, nil)
			return
		}
		frame := make([]byte, length)
		if _, err := io.ReadFull(in, frame); err != nil {
			return
		}
		number, body := answer(little.Uint16(frame[4:]), little.Uint16(frame[6:]), frame[8:])
		say(little.Uint32(frame), number, body)
	}
}
