/**
 * Hawser in C: a TCP and Multipath TCP host inside a program, without threads, clock or devices.
 *
 * An instance is a host with addresses of its own. The program gives it the time and the packets
 * that reached it, and takes the packets that it sends; so a simulator, a test bench or a binding
 * of another language can run any number of hosts in whatever time it likes. The same calls in the
 * same order give the same packets, octet by octet.
 *
 *     hawser_set_now(h, t);            the time of what follows
 *     hawser_input(h, packet, n);      each packet that arrived, IPv4 or IPv6, without link header
 *     hawser_run(h);                   what is due is done; `output` and `ready` are called
 *     t = hawser_next_deadline(h);     when hawser_run() has work again, if no packet comes before
 *
 * The calls on sockets have the names and meanings of POSIX and Linux, and take the instance first.
 * Three things differ: a call returns a NEGATIVE errno value of Linux where POSIX returns -1 and
 * sets errno; nothing raises SIGPIPE; and no call ever waits, whether O_NONBLOCK is set or not:
 * what would wait gives -EAGAIN, or -EINPROGRESS for hawser_connect(). What a socket is told to
 * send leaves with the next hawser_run().
 *
 * An instance belongs to one thread at a time; different instances share nothing. A call with a
 * null instance, or memory that runs out, ends the process.
 */
#ifndef HAWSER_H
#define HAWSER_H

#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

/* NOLINTBEGIN(modernize-use-using,readability-identifier-naming): this is C. */
#ifdef __cplusplus
extern "C" {
#endif

/** Grows with what is added; programs built for an older version go on working. */
#define HAWSER_API_VERSION 1
/** "No deadline" of hawser_next_deadline(). */
#define HAWSER_NEVER UINT64_MAX

#define HAWSER_API __attribute__((visibility("default")))

typedef struct hawser hawser;

/** What an instance is made from. Set all of it to zero first, then `size` and `addresses`. */
struct hawser_config {
  size_t size; /**< sizeof(struct hawser_config), which tells the library the caller's version. */
  /**
   * The host's addresses with their prefix lengths, such as "10.0.0.1/24" or "fd00::1/64". Each is
   * a path of its own for Multipath TCP. Every destination can be reached from each: where the
   * packets go is decided by who gets them from `output`.
   */
  const char* const* addresses;
  size_t address_count;
  uint32_t mtu;         /**< Octets of the longest packet, 1280 to 9216; 0: 1500. */
  uint32_t packets;     /**< Packets that may wait in the host for memory's sake; 0: 8192. */
  uint32_t connections; /**< That may exist at one time; 0: 4096. */
  uint64_t seed;        /**< All that is random comes from it. */
  void* user;           /**< Handed to the calls below. */
  /** A packet leaves. It is valid during the call only. May call hawser_input() of other instances.
   */
  void (*output)(void* user, const void* packet, size_t length);
  /**
   * Something happened to a socket, whose state `events` tells as poll() would. Comes from
   * hawser_run() only, and as EPOLLET has it: once, and not again before a call on the socket came
   * back with less than it asked for. May be null. May call everything but hawser_run() and
   * hawser_free() of this instance.
   */
  void (*ready)(void* user, int socket, short events);
};

/** HAWSER_API_VERSION of the library. */
HAWSER_API unsigned hawser_version(void);

/**
 * Makes an instance, to be freed by hawser_free().
 * -EINVAL: an address that cannot be read or is there twice, no address, no `output`, or a value
 * out of bounds.
 */
HAWSER_API int hawser_open(const struct hawser_config* config, hawser** out);
/** Ends an instance and all its connections; the peers are told nothing. */
HAWSER_API void hawser_free(hawser* instance);

/** The time, in nanoseconds since a start of the caller's choice. An earlier one is ignored. */
HAWSER_API void hawser_set_now(hawser* instance, uint64_t nanoseconds);
/** When hawser_run() has work: now or earlier if at once, HAWSER_NEVER if only a packet gives it.
 */
HAWSER_API uint64_t hawser_next_deadline(const hawser* instance);
/** Does what is due, sends what may be sent, tells what happened. */
HAWSER_API void hawser_run(hawser* instance);
/**
 * A packet arrived: an IP header and what follows it. Its checksums are verified.
 * -EINVAL: no IP header; -EMSGSIZE: longer than the MTU; -ENOBUFS: no memory for it. Anything else
 * that is wrong with it is counted, not returned, as a host does.
 */
HAWSER_API int hawser_input(hawser* instance, const void* packet, size_t length);

/**
 * Carries out one line of text. What it has to say is written to `answer` as a string, cut to
 * `size` octets with their end; returned is the length of all of it. `size` may be 0.
 *
 *     set NAME VALUE                      a setting, for connections that begin afterwards
 *     show [NAME]                         the settings, as "NAME VALUE" lines
 *     limits show
 *     limits set [subflows N] [add_addr_accepted N]
 *     endpoint add ADDRESS [id ID] [port PORT] [dev NAME] [signal] [subflow] [backup] [fullmesh]
 *     endpoint delete id ID
 *     endpoint change id ID|ADDRESS backup|nobackup|fullmesh|nofullmesh
 *     endpoint show [id ID]
 *     endpoint flush
 *     counters                            JSON: in "Tcp", "TcpExt" and "MPTcpExt" those of Linux,
 *                                         by its names, in "Hawser" the others
 *
 * `limits` and `endpoint` are those of `ip mptcp`, with its answers. They take effect once used:
 * the first `limits set` or `endpoint add` ends the path manager that the host begins with, which
 * connects addresses in pairs (`set path_manager`), for connections that begin afterwards. A
 * connection that was accepted announces its endpoints when hawser_accept() has given it.
 *
 * -EINVAL: words that have no meaning, a value out of bounds, or no such endpoint; -EEXIST, -EBUSY:
 * an endpoint has the address or the id; -ERANGE: there are eight endpoints.
 */
HAWSER_API ssize_t hawser_command(hawser* instance, const char* line, char* answer, size_t size);

/**
 * AF_INET or AF_INET6; SOCK_STREAM, with SOCK_NONBLOCK and SOCK_CLOEXEC or without; protocol 0 or
 * IPPROTO_TCP (6), or IPPROTO_MPTCP (262). Numbers start at 3 and the lowest free one is taken.
 */
HAWSER_API int hawser_socket(hawser* instance, int family, int type, int protocol);
HAWSER_API int hawser_close(hawser* instance, int socket);
/** A port whose last connection is in TIME-WAIT may be had at once, unlike on Linux. */
HAWSER_API int hawser_bind(hawser* instance, int socket, const struct sockaddr* address,
                           socklen_t length);
/** The backlog is not looked at: 1024 connections may wait. */
HAWSER_API int hawser_listen(hawser* instance, int socket, int backlog);
/** hawser_run() calls `ready` for the new socket once, with what has come so far. */
HAWSER_API int hawser_accept(hawser* instance, int socket, struct sockaddr* address,
                             socklen_t* length);
HAWSER_API int hawser_accept4(hawser* instance, int socket, struct sockaddr* address,
                              socklen_t* length, int flags);
/** AF_UNSPEC ends the connection with a reset, and the socket may connect again. */
HAWSER_API int hawser_connect(hawser* instance, int socket, const struct sockaddr* address,
                              socklen_t length);
HAWSER_API int hawser_shutdown(hawser* instance, int socket, int how);
HAWSER_API int hawser_getsockname(hawser* instance, int socket, struct sockaddr* address,
                                  socklen_t* length);
HAWSER_API int hawser_getpeername(hawser* instance, int socket, struct sockaddr* address,
                                  socklen_t* length);

HAWSER_API ssize_t hawser_read(hawser* instance, int socket, void* buffer, size_t length);
HAWSER_API ssize_t hawser_readv(hawser* instance, int socket, const struct iovec* parts, int count);
/** Flags: MSG_PEEK, MSG_TRUNC (the octets are thrown away); MSG_MORE when sending. */
HAWSER_API ssize_t hawser_recv(hawser* instance, int socket, void* buffer, size_t length,
                               int flags);
HAWSER_API ssize_t hawser_recvfrom(hawser* instance, int socket, void* buffer, size_t length,
                                   int flags, struct sockaddr* address, socklen_t* address_length);
HAWSER_API ssize_t hawser_recvmsg(hawser* instance, int socket, struct msghdr* message, int flags);
HAWSER_API ssize_t hawser_write(hawser* instance, int socket, const void* buffer, size_t length);
HAWSER_API ssize_t hawser_writev(hawser* instance, int socket, const struct iovec* parts,
                                 int count);
HAWSER_API ssize_t hawser_send(hawser* instance, int socket, const void* buffer, size_t length,
                               int flags);
HAWSER_API ssize_t hawser_sendto(hawser* instance, int socket, const void* buffer, size_t length,
                                 int flags, const struct sockaddr* address,
                                 socklen_t address_length);
HAWSER_API ssize_t hawser_sendmsg(hawser* instance, int socket, const struct msghdr* message,
                                  int flags);

/**
 * Options have the numbers, structures and errno values of Linux. What there is:
 *
 * SOL_SOCKET   SO_REUSEADDR, SO_REUSEPORT, SO_SNDBUF, SO_RCVBUF, SO_KEEPALIVE, SO_ERROR,
 *              SO_LINGER (of 0 seconds: a reset), SO_TYPE, SO_PROTOCOL, SO_DOMAIN, SO_ACCEPTCONN;
 *              kept without an effect: SO_PRIORITY, SO_MARK, SO_BROADCAST, SO_DONTROUTE,
 *              SO_OOBINLINE, SO_RCVTIMEO, SO_SNDTIMEO
 * IPPROTO_IP   IP_TOS, IP_TTL; IPPROTO_IPV6 IPV6_V6ONLY, IPV6_TCLASS, IPV6_UNICAST_HOPS
 * IPPROTO_TCP  TCP_NODELAY (segments leave at once in any case, unless `set nagle 1`), TCP_CORK,
 *              TCP_CONGESTION, TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT, TCP_SYNCNT, TCP_LINGER2,
 *              TCP_USER_TIMEOUT, TCP_MAXSEG (to be read), TCP_INFO, TCP_IS_MPTCP; kept without an
 *              effect: TCP_QUICKACK
 * SOL_MPTCP    MPTCP_INFO, MPTCP_TCPINFO, MPTCP_SUBFLOW_ADDRS, MPTCP_FULL_INFO
 *
 * Buffers, keepalive, timeouts, Nagle's algorithm and the congestion control are what a connection
 * begins with: set them before hawser_connect() or hawser_listen(). Afterwards they are kept, for
 * accepted sockets too, and the connection goes on as it was. TCP_CONGESTION knows reno, cubic,
 * bbr, lia, olia, balia, wvegas, dctcp.
 */
HAWSER_API int hawser_setsockopt(hawser* instance, int socket, int level, int name,
                                 const void* value, socklen_t length);
HAWSER_API int hawser_getsockopt(hawser* instance, int socket, int level, int name, void* value,
                                 socklen_t* length);

/** poll() without the wait: how many of `sockets` have something to tell. */
HAWSER_API int hawser_poll(hawser* instance, struct pollfd* sockets, nfds_t count);
/** F_GETFL and F_SETFL, for O_NONBLOCK; F_GETFD and F_SETFD, which mean nothing here. */
HAWSER_API int hawser_fcntl(hawser* instance, int socket, int command, int argument);
/** SIOCINQ (FIONREAD), SIOCOUTQ, SIOCOUTQNSD and FIONBIO; `argument` points to an int. */
HAWSER_API int hawser_ioctl(hawser* instance, int socket, unsigned long request, void* argument);

#ifdef __cplusplus
}
#endif
/* NOLINTEND(modernize-use-using,readability-identifier-naming) */

#endif
