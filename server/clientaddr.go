package server

import (
	"bytes"
	"net"
	"net/netip"
	"strings"
)

// clientAddr is the caller's address: the peer's, or behind trusted proxies the
// right-most address of X-Forwarded-For that is none of theirs. What stands left
// of it was written by the caller and proves nothing.
func (x *exchange) clientAddr() netip.Addr {
	peer := addrOf(x.http.RemoteAddr())
	if len(x.options.TrustedProxies) == 0 || !trusts(x.options.TrustedProxies, peer) {
		return peer
	}
	return forwardedFor(x.http.Request.Header.PeekAll("X-Forwarded-For"), peer, x.options.TrustedProxies)
}

func addrOf(a net.Addr) netip.Addr {
	if tcp, ok := a.(*net.TCPAddr); ok {
		return tcp.AddrPort().Addr().Unmap().WithZone("")
	}
	return netip.Addr{}
}

func trusts(proxies []netip.Prefix, addr netip.Addr) bool {
	for _, p := range proxies {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

// forwardedFor walks the header lines from the last to the first, each from the
// right. It stops at the first address that is not trusted; at something that is
// no address it stays with the last proxy that was.
func forwardedFor(lines [][]byte, peer netip.Addr, proxies []netip.Prefix) netip.Addr {
	last := peer
	for i := len(lines) - 1; i >= 0; i-- {
		line := lines[i]
		for {
			comma := bytes.LastIndexByte(line, ',')
			addr, ok := parseHop(string(line[comma+1:]))
			if !ok {
				return last
			}
			if last = addr; !trusts(proxies, addr) {
				return addr
			}
			if comma < 0 {
				break
			}
			line = line[:comma]
		}
	}
	return last
}

// parseHop reads an address, with or without a port.
func parseHop(s string) (netip.Addr, bool) {
	s = strings.TrimSpace(s)
	addr, err := netip.ParseAddr(strings.Trim(s, "[]"))
	if err != nil {
		withPort, err := netip.ParseAddrPort(s)
		if err != nil {
			return netip.Addr{}, false
		}
		addr = withPort.Addr()
	}
	return addr.Unmap().WithZone(""), true
}

// hostSet are the host names under which /api answers.
type hostSet map[string]bool

func newHostSet(names []string) hostSet {
	set := hostSet{}
	for _, n := range names {
		set[strings.ToLower(strings.TrimSuffix(n, "."))] = true
	}
	return set
}

// allow judges a Host field, port included. localhost and IP addresses are no
// names that somebody else could point here.
func (set hostSet) allow(host []byte) bool {
	name := strings.ToLower(string(host))
	if h, _, err := net.SplitHostPort(name); err == nil {
		name = h
	}
	name = strings.TrimSuffix(strings.Trim(name, "[]"), ".")
	_, err := netip.ParseAddr(name)
	return err == nil || name == "localhost" || set[name]
}
