/* A store that copies pages, and an echo, behind a socket: server store|echo PATH. One connection at a time. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { PAGE = 4096, SLOTS = 4096, LONGEST = 68 + PAGE, IN = 1 << 18 };
struct slot { uint8_t held, oid[24]; uint32_t index; uint8_t page[PAGE]; };
static struct slot *slots;
static uint8_t in[IN], out[IN + PAGE + 64];
static size_t ready;

static int send_all(int peer) {
    for (size_t at = 0; at < ready;) {
        ssize_t went = write(peer, out + at, ready - at);
        if (went <= 0) return 0;
        at += (size_t)went;
    }
    ready = 0;
    return 1;
}

static void answer(uint32_t tag, int64_t number, const void *body, uint32_t size) {
    uint32_t length = 12 + size;
    memcpy(out + ready, &length, 4);
    memcpy(out + ready + 4, &tag, 4);
    memcpy(out + ready + 8, &number, 8);
    if (size) memcpy(out + ready + 16, body, size);
    ready += 16 + size;
}

static void perform(const uint8_t *frame, uint32_t length) {
    uint32_t tag, command, index;
    uint16_t kind;
    memcpy(&tag, frame + 4, 4);
    memcpy(&kind, frame + 8, 2);
    if (kind == 0) {
        uint32_t welcome[8] = {PAGE, 0, LONGEST};
        answer(tag, 1, welcome, sizeof welcome);
        return;
    }
    if (kind != 1 || length < 64) { answer(tag, kind == 4 ? 0 : -38, 0, 0); return; }
    memcpy(&command, frame + 12, 4);
    memcpy(&index, frame + 44, 4);
    struct slot *slot = slots + index % SLOTS; /* a slot that another falls on loses its page, as a cache does */
    int hit = slot->held && slot->index == index && !memcmp(slot->oid, frame + 20, 24);
    switch (command) {
    case 1: answer(tag, 0, 0, 0); break;
    case 4:
        if (length != LONGEST - 4) { answer(tag, -22, 0, 0); break; }
        slot->held = 1;
        slot->index = index;
        memcpy(slot->oid, frame + 20, 24);
        memcpy(slot->page, frame + 68, PAGE);
        answer(tag, 1, 0, 0);
        break;
    case 5: answer(tag, hit, slot->page, hit ? PAGE : 0); break; /* of a persistent pool: the page stays */
    default: answer(tag, -38, 0, 0);
    }
}

static void serve(int peer, int echo) {
    size_t held = 0;
    ssize_t came;
    while ((came = read(peer, in + held, IN - held)) > 0) {
        size_t at = 0;
        held += (size_t)came;
        if (echo) {
            memcpy(out, in, held);
            ready = held, at = held;
        }
        for (uint32_t length; held - at >= 4; at += 4 + length) {
            memcpy(&length, in + at, 4);
            if (length < 8 || length > LONGEST - 4) return;
            if (held - at < 4 + length) break;
            perform(in + at, length);
            if (ready > IN - 64 && !send_all(peer)) return;
        }
        if (!send_all(peer)) return;
        memmove(in, in + at, held -= at);
    }
}

int main(int count, char **words) {
    struct sockaddr_un name = {AF_UNIX, {0}};
    int listening = socket(AF_UNIX, SOCK_STREAM, 0);
    if (count != 3 || !(slots = calloc(SLOTS, sizeof *slots))) return 2;
    strncpy(name.sun_path, words[2], sizeof name.sun_path - 1);
    if (bind(listening, (struct sockaddr *)&name, sizeof name) || listen(listening, 8)) return 1;
    write(1, "\n", 1); /* connections are taken from now on */
    for (int peer; (peer = accept(listening, 0, 0)) >= 0; close(peer)) serve(peer, words[1][0] == 'e');
    return 0;
}
