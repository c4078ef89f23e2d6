package server

import (
	"strconv"
	"time"

	"exante/auth"
)

// Header names and values that are always the same, as the bytes that fasthttp wants.
var (
	headerAuthenticate = []byte("WWW-Authenticate")
	headerCacheControl = []byte("Cache-Control")
	headerETag         = []byte("ETag")
	headerKeyExpires   = []byte("Exante-Key-Expires-At")
	headerLimit        = []byte("RateLimit")
	headerLimitPolicy  = []byte("RateLimit-Policy")
	headerNoSniff      = []byte("X-Content-Type-Options")
	headerReplayed     = []byte("Idempotent-Replayed")
	headerRequestID    = []byte("X-Request-Id")
	headerRetryAfter   = []byte("Retry-After")
	headerSecurity     = []byte("Strict-Transport-Security")

	valueNoStore = []byte("no-store")
	valueTrue    = []byte("true")
	valueNoSniff = []byte("nosniff")
	// valueSecurity is how long a browser shall remember that this host has TLS
	// (RFC 6797): a year.
	valueSecurity = []byte("max-age=31536000")
	mediaJSON     = []byte("application/json")
)

// expiryNotice is how long before its end a key's answers say when that is.
const expiryNotice = 30 * 24 * time.Hour

// writeLimits tells an authenticated caller where it stands: the RateLimit fields
// (IETF draft-ietf-httpapi-ratelimit-headers, structured fields) for the tightest
// window, and the end of the key if that is near.
func (x *exchange) writeLimits() {
	ad, h := &x.admitted, &x.http.Response.Header
	if ad.Key == nil {
		return
	}
	if d := &ad.Decision; len(d.Limits) > 0 {
		x.scratch = appendPolicy(x.scratch[:0], d.Limits)
		h.SetCanonical(headerLimitPolicy, x.scratch)
		x.scratch = appendLimit(x.scratch[:0], d)
		h.SetCanonical(headerLimit, x.scratch)
	}
	if end := ad.Key.ExpiresAt; !end.IsZero() && end.Sub(x.options.Now()) <= expiryNotice {
		x.scratch = end.UTC().AppendFormat(x.scratch[:0], time.RFC3339)
		h.SetCanonical(headerKeyExpires, x.scratch)
	}
}

// appendPolicy writes `"minute";q=600;w=60, "day";q=20000;w=86400`.
func appendPolicy(b []byte, limits auth.Limits) []byte {
	for i, w := range limits {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = appendName(b, w)
		b = strconv.AppendInt(append(b, ";q="...), w.Limit, 10)
		b = strconv.AppendInt(append(b, ";w="...), int64(w.Every/time.Second), 10)
	}
	return b
}

// appendLimit writes `"minute";r=599;t=60`. A request stops counting up to 1/64
// of the window after it left it; an admitted caller is told no more than the
// window all the same, as w says it. A refused one is told what Retry-After says.
func appendLimit(b []byte, d *auth.Decision) []byte {
	wait := min(d.Reset, d.Tightest.Every)
	if d.RetryAfter > 0 {
		wait = d.RetryAfter
	}
	b = appendName(b, d.Tightest)
	b = strconv.AppendInt(append(b, ";r="...), max(0, d.Remaining), 10)
	return strconv.AppendInt(append(b, ";t="...), auth.Seconds(wait), 10)
}

func appendName(b []byte, w auth.Window) []byte {
	return append(append(append(b, '"'), w.Name()...), '"')
}

// retryAfter writes Retry-After in whole seconds, at least 1.
func (x *exchange) retryAfter(d time.Duration) {
	x.scratch = strconv.AppendInt(x.scratch[:0], auth.Seconds(d), 10)
	x.http.Response.Header.SetCanonical(headerRetryAfter, x.scratch)
}
