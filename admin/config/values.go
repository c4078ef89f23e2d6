package config

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"exante/auth"
	"exante/storage/billing"
)

// form is how a value is written in TOML.
type form int

const (
	quoted form = iota // a string
	bare               // an integer
	list               // an array of strings
	truth              // true or false
)

func (f form) String() string {
	return [...]string{"a string in quotes", "a whole number without quotes", "an array of strings without commas in them", "true or false without quotes"}[f]
}

// literal is the TOML form of a value's text.
func (f form) literal(text string) string {
	switch f {
	case bare, truth:
		return text
	case list:
		var items []string
		for _, item := range split(text) {
			items = append(items, strconv.Quote(item))
		}
		return "[" + strings.Join(items, ", ") + "]"
	case quoted:
	}
	return strconv.Quote(text)
}

// field is one setting bound to where its value lives.
type field[T any] struct {
	to    *T
	parse func(string) (T, error)
	show  func(T) string
	as    form
}

// Set keeps the old value when text is refused.
func (f *field[T]) Set(text string) error {
	v, err := f.parse(text)
	if err != nil {
		return err
	}
	*f.to = v
	return nil
}

func (f *field[T]) String() string { return f.show(*f.to) }
func (f *field[T]) form() form     { return f.as }

func verbatim(s string) string     { return s }
func joined(items []string) string { return strings.Join(items, ",") }

// split reads a list: items separated by commas, spaces around them ignored.
func split(s string) []string {
	if strings.TrimSpace(s) == "" {
		return nil
	}
	items := strings.Split(s, ",")
	for i := range items {
		items[i] = strings.TrimSpace(items[i])
	}
	return items
}

type integer interface{ ~int | ~uint8 | ~uint32 }

func between[T integer](to *T, low, high int64) value {
	parse := func(s string) (T, error) {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil || n < low || n > high {
			return 0, fmt.Errorf("%q is not a whole number from %d to %d", s, low, high)
		}
		return T(n), nil
	}
	return &field[T]{to, parse, func(v T) string { return strconv.FormatInt(int64(v), 10) }, bare}
}

func oneOf[T ~string](to *T, words ...T) value {
	parse := func(s string) (T, error) {
		for _, w := range words {
			if s == string(w) {
				return w, nil
			}
		}
		return "", fmt.Errorf("%q is none of %v", s, words)
	}
	texts := make([]string, len(words))
	for i, w := range words {
		texts[i] = string(w)
	}
	return &worded{&field[T]{to, parse, func(v T) string { return string(v) }, quoted}, texts}
}

func boolean(to *bool) value {
	parse := func(s string) (bool, error) {
		if s != "true" && s != "false" {
			return false, fmt.Errorf("%q is neither true nor false", s)
		}
		return s == "true", nil
	}
	return &worded{&field[bool]{to, parse, strconv.FormatBool, truth}, []string{"true", "false"}}
}

// lasting is a duration from low to high.
func lasting(to *time.Duration, low, high time.Duration) value {
	parse := func(s string) (time.Duration, error) {
		d, err := time.ParseDuration(s)
		if err != nil || d < low || d > high {
			return 0, fmt.Errorf("%q is not a duration such as 90m, from %s to %s", s, formatInterval(low), formatInterval(high))
		}
		return d, nil
	}
	return &field[time.Duration]{to, parse, formatInterval, quoted}
}

// worded is a value that is one of a few words.
type worded struct {
	value
	words []string
}

func limits(to *auth.Limits) value {
	return &field[auth.Limits]{to, auth.ParseLimits, auth.Limits.String, quoted}
}

func prefixes(to *[]netip.Prefix) value {
	parse := func(s string) ([]netip.Prefix, error) {
		var out []netip.Prefix
		for _, item := range split(s) {
			p, err := parsePrefix(item)
			if err != nil {
				return nil, err
			}
			out = append(out, p)
		}
		return out, nil
	}
	show := func(ps []netip.Prefix) string {
		texts := make([]string, len(ps))
		for i, p := range ps {
			texts[i] = p.String()
		}
		return joined(texts)
	}
	return &field[[]netip.Prefix]{to, parse, show, list}
}

// parsePrefix reads 10.0.0.0/8, or 10.0.0.1 for that address alone.
func parsePrefix(s string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(s); err == nil && addr.Zone() == "" && !addr.Is4In6() {
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	nets, err := auth.ParseNetworks([]string{s})
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("%q is neither an address nor a network such as 10.0.0.0/8", s)
	}
	return nets[0], nil
}

func parseListen(s string) (string, error) {
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		return "", fmt.Errorf("%q is not HOST:PORT", s)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return "", fmt.Errorf("%q has no port from 0 to 65535", s)
	}
	if strings.ContainsAny(host, " /") {
		return "", fmt.Errorf("%q is not HOST:PORT", s)
	}
	return s, nil
}

// optional lets a setting be empty.
func optional(parse func(string) (string, error)) func(string) (string, error) {
	return func(s string) (string, error) {
		if s == "" {
			return "", nil
		}
		return parse(s)
	}
}

// parsePublicURL reads the URL of this server as others see it; a path in front of
// ours may be part of it.
func parsePublicURL(s string) (string, error) {
	if s == "" {
		return "", nil
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.Opaque != "" ||
		u.User != nil || u.RawQuery != "" || u.ForceQuery || strings.Contains(s, "#") || strings.ContainsAny(s, " \"\\<>") {
		return "", fmt.Errorf("%q is not a URL such as https://billing.example.com", s)
	}
	return strings.TrimRight(s, "/"), nil
}

func parseHosts(s string) ([]string, error) {
	hosts := split(s)
	for i, h := range hosts {
		if h == "" || strings.ContainsAny(h, " /:*@") {
			return nil, fmt.Errorf("%q is not a host name without port", h)
		}
		hosts[i] = strings.ToLower(h)
	}
	return hosts, nil
}

func parsePath(s string) (string, error) {
	if s == "" || strings.ContainsRune(s, 0) {
		return "", errors.New("a path is needed")
	}
	return filepath.Clean(s), nil
}

// parseFile is parsePath for a file that need not be named.
func parseFile(s string) (string, error) {
	if s == "" {
		return "", nil
	}
	if len(s) > maxPath {
		return "", fmt.Errorf("a path has at most %d bytes, this has %d", maxPath, len(s))
	}
	return parsePath(s)
}

const maxPath = 4095 // PATH_MAX without the NUL (limits.h)

// MaxSocketPath is the longest path of a Unix socket: sun_path has 108 bytes,
// the last of which is NUL (unix(7)).
const MaxSocketPath = 107

func parseSocket(s string) (string, error) {
	if s == "" {
		return "", nil
	}
	if len(s) > MaxSocketPath {
		return "", fmt.Errorf("a socket's path has at most %d bytes, this has %d", MaxSocketPath, len(s))
	}
	return parsePath(s)
}

// parseCopy reads the path of a file, "none" or nothing.
func parseCopy(s string) (string, error) {
	if s == "" {
		return "", nil
	}
	if strings.HasSuffix(s, "/") {
		return "", errors.New("a file is needed, not a directory")
	}
	return parsePath(s)
}

// level is a slog.Level that is written in lower case.
type level slog.Level

func parseLevel(s string) (level, error) {
	for _, l := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError} {
		if s == formatLevel(level(l)) {
			return level(l), nil
		}
	}
	return 0, fmt.Errorf("%q is none of [debug info warn error]", s)
}

func formatLevel(l level) string { return strings.ToLower(slog.Level(l).String()) }

func parseNumberPattern(s string) (string, error) {
	_, err := billing.ParseNumberPattern(s)
	return s, err
}
