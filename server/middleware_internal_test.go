package server

import (
	"net/netip"
	"strings"
	"testing"

	"exante/auth"
)

func TestBearerTokenIsOneWordAfterOneSpace(t *testing.T) {
	for _, c := range []struct {
		name   string
		values []string
		want   string
		err    error
	}{
		{"none", nil, "", auth.ErrNoToken},
		{"plain", []string{"Bearer abc"}, "abc", nil},
		{"any case", []string{"bEARER abc"}, "abc", nil},
		{"empty", []string{""}, "", auth.ErrBadHeader},
		{"no token", []string{"Bearer"}, "", auth.ErrBadHeader},
		{"blank token", []string{"Bearer "}, "", auth.ErrBadHeader},
		{"two spaces", []string{"Bearer  abc"}, "", auth.ErrBadHeader},
		{"tab", []string{"Bearer\tabc"}, "", auth.ErrBadHeader},
		{"two words", []string{"Bearer abc def"}, "", auth.ErrBadHeader},
		{"list", []string{"Bearer abc,def"}, "", auth.ErrBadHeader},
		{"basic", []string{"Basic abc"}, "", auth.ErrBadHeader},
		{"longer scheme", []string{"Bearerx abc"}, "", auth.ErrBadHeader},
		{"twice", []string{"Bearer abc", "Bearer abc"}, "", auth.ErrBadHeader},
	} {
		var values [][]byte
		for _, v := range c.values {
			values = append(values, []byte(v))
		}
		if got, err := bearerToken(values); string(got) != c.want || err != c.err {
			t.Errorf("%s: bearerToken = %q, %v, want %q, %v", c.name, got, err, c.want, c.err)
		}
	}
}

func TestAmbiguousFramingIsRefused(t *testing.T) {
	for _, c := range []struct {
		name, block string
		want        error
	}{
		{"plain", "Host: a\r\nContent-Length: 3\r\n\r\n", nil},
		{"chunked", "Transfer-Encoding: chunked\r\n\r\n", nil},
		{"both", "Content-Length: 3\r\ntransfer-encoding: chunked\r\n\r\n", errFraming},
		{"both, identity", "CONTENT-LENGTH: 3\r\nTransfer-Encoding: identity\r\n\r\n", errFraming},
		{"both, blank value", "Content-Length:\r\nTransfer-Encoding:\r\n\r\n", errFraming},
		{"space in a name", "Host: a\r\nTransfer Encoding: b\r\n\r\n", errFraming},
		{"space in a value", "Host: a\r\nAccept: a b : c\r\n\r\n", nil},
		{"continued line", "Host: a\r\n b\r\n\r\n", errFraming},
		{"continued line, tab", "Host: a\r\n\tb\r\n\r\n", errFraming},
		{"continued line with a colon", "Host: a\r\n b:c\r\n\r\n", errFraming},
		{"bare line feed", "Host: a\nX: b\r\n\r\n", errFraming},
		{"other names", "Content-Length-X: 1\r\nTransfer-Encodings: b\r\n\r\n", nil},
		{"empty", "", nil},
	} {
		if got := checkFraming([]byte(c.block)); got != c.want {
			t.Errorf("%s: checkFraming = %v, want %v", c.name, got, c.want)
		}
	}
}

func TestRequestIDsThatAreEchoedAreHarmless(t *testing.T) {
	for id, want := range map[string]bool{
		"a": true, "0190b7a0-0000_A.z": true, strings.Repeat("x", 128): true,
		"": false, strings.Repeat("x", 129): false, "a b": false, "a\r\nb": false, "é": false, "a:b": false, "<": false, "@": false, "[": false,
	} {
		if got := isRequestID([]byte(id)); got != want {
			t.Errorf("isRequestID(%q) = %v, want %v", id, got, want)
		}
	}
}

func TestCallerIsTheRightMostUntrustedAddress(t *testing.T) {
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::/32")}
	for _, c := range []struct {
		name  string
		lines []string
		want  string
	}{
		{"no field", nil, "10.0.0.1"},
		{"one", []string{"203.0.113.9"}, "203.0.113.9"},
		{"written by the caller", []string{"6.6.6.6, 203.0.113.9"}, "203.0.113.9"},
		{"past a second proxy", []string{"6.6.6.6, 203.0.113.9, 10.9.9.9"}, "203.0.113.9"},
		{"over two lines", []string{"6.6.6.6,203.0.113.9", "2001:db8::7"}, "203.0.113.9"},
		{"all trusted", []string{"10.1.1.1, 10.2.2.2"}, "10.1.1.1"},
		{"garbage on the right", []string{"203.0.113.9, nonsense"}, "10.0.0.1"},
		{"garbage behind a proxy", []string{"203.0.113.9, nonsense, 10.2.2.2"}, "10.2.2.2"},
		{"empty", []string{""}, "10.0.0.1"},
		{"with port", []string{"203.0.113.9:4711"}, "203.0.113.9"},
		{"IPv6 with port", []string{"[2001:4860::1]:4711"}, "2001:4860::1"},
		{"IPv6 in brackets", []string{"[2001:4860::1]"}, "2001:4860::1"},
		{"IPv4 in IPv6", []string{"::ffff:203.0.113.9"}, "203.0.113.9"},
		{"zone", []string{"fe80::1%eth0"}, "fe80::1"},
	} {
		var lines [][]byte
		for _, l := range c.lines {
			lines = append(lines, []byte(l))
		}
		if got := forwardedFor(lines, netip.MustParseAddr("10.0.0.1"), proxies); got.String() != c.want {
			t.Errorf("%s: forwardedFor = %s, want %s", c.name, got, c.want)
		}
	}
}

func TestOnlyNamedHostsAreServed(t *testing.T) {
	set := newHostSet([]string{"API.example.com", "other.example."})
	for host, want := range map[string]bool{
		"api.example.com": true, "Api.Example.Com:8080": true, "api.example.com.": true, "other.example": true,
		"localhost:1": true, "127.0.0.1:8080": true, "[::1]:8080": true, "[::1]": true, "192.0.2.7": true,
		"evil.example": false, "api.example.com.evil.example": false, "": false, "api.example.com@evil": false,
		"localhost.evil.example": false, "127.0.0.1.evil.example": false,
	} {
		if got := set.allow([]byte(host)); got != want {
			t.Errorf("allow(%q) = %v, want %v", host, got, want)
		}
	}
}
