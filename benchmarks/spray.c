/* Stray datagrams at one UDP port of this machine: what a flood of strangers sends.
 *
 *     spray ADDRESS PORT BYTES PER_SECOND SECONDS
 *
 * One in four looks like RTP, like STUN, like DTLS, like nothing. Prints how many were sent.
 * Loopback and this machine's own addresses only: it binds to the address that it sends to. */
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define BATCH 40 /* a millisecond of 40,000 a second */

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int open_to(const char *address, int port)
{
    struct sockaddr_in here = {.sin_family = AF_INET}, there = {.sin_family = AF_INET};
    there.sin_port = htons((uint16_t)port);
    if (inet_pton(AF_INET, address, &there.sin_addr) != 1)
        return -1;
    here.sin_addr = there.sin_addr;
    const int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&here, sizeof here) ||
        connect(fd, (struct sockaddr *)&there, sizeof there))
        return -1;
    return fd;
}

int main(int count, char **arguments)
{
    static const uint8_t first[4] = {0x80, 0x00, 0x16, 0xff};
    static uint8_t data[4][1472];
    struct iovec pieces[BATCH];
    struct mmsghdr messages[BATCH];
    if (count != 6) {
        fprintf(stderr, "spray ADDRESS PORT BYTES PER_SECOND SECONDS\n");
        return 2;
    }
    const int fd = open_to(arguments[1], atoi(arguments[2]));
    size_t bytes = (size_t)atoi(arguments[3]);
    bytes = bytes > sizeof data[0] ? sizeof data[0] : bytes;
    const double per_us = atof(arguments[4]) / 1e6;
    const int64_t begun = now_us(), until = begun + (int64_t)(atof(arguments[5]) * 1e6);
    if (fd < 0) {
        perror("spray");
        return 2;
    }
    memset(messages, 0, sizeof messages);
    for (int i = 0; i < BATCH; i++) {
        memset(data[i % 4], i % 4, bytes);
        data[i % 4][0] = first[i % 4];
        pieces[i] = (struct iovec){data[i % 4], bytes};
        messages[i].msg_hdr.msg_iov = &pieces[i];
        messages[i].msg_hdr.msg_iovlen = 1;
    }
    int64_t sent = 0;
    for (int64_t now = begun; now < until; now = now_us()) {
        int64_t due = (int64_t)((double)(now - begun) * per_us) - sent;
        if (due < BATCH) {
            nanosleep(&(struct timespec){.tv_nsec = 500000}, NULL);
            continue;
        }
        const int some = sendmmsg(fd, messages, BATCH, 0);
        sent += some > 0 ? some : 0;
    }
    printf("%lld\n", (long long)sent);
    return 0;
}
