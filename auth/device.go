package auth

import (
	"crypto/hmac"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"io"
	"time"
)

// Device is a browser in which somebody has signed in to an account before. Its
// cookie opens nothing: it gives his attempts to sign in there a count of their own
// (Throttle), so that strangers can't use it up (OWASP, "Slow Down Online Guessing
// Attacks with Device Cookies"). The zero Device is none.
type Device [16]byte

// DeviceLife is how long a Device is known after it was minted.
const DeviceLife = 365 * 24 * time.Hour

// The text of a Device is base64url, without padding, of
//
//	16 bytes  the Device, at random
//	8 bytes   its end in Unix seconds, big-endian
//	32 bytes  HMAC-SHA-256 of the domain, of all before it and of the account
//
// The account itself is not in it.
const (
	deviceBody   = 16 + 8
	deviceLen    = deviceBody + MACSize
	deviceDomain = "exante device v1\x00" // keeps the MAC from being that of anything else
)

// MintDevice makes a Device for an account, in the form of Attempt.Account, after
// somebody has signed in to it, and returns its text, for a cookie. random nil
// means crypto/rand.Reader; it fails only if the source of randomness fails. The key
// must not be zero.
func (k SigningKey) MintDevice(account string, now time.Time, random io.Reader) (string, error) {
	if random == nil {
		random = rand.Reader
	}
	b := make([]byte, len(Device{}), deviceLen)
	if _, err := io.ReadFull(random, b); err != nil {
		return "", fmt.Errorf("read randomness for a device: %w", err)
	}
	b = binary.BigEndian.AppendUint64(b, uint64(now.Add(DeviceLife).Unix()))
	return base64url.EncodeToString(append(b, k.MAC(deviceDomain, b, []byte(account))...)), nil
}

// OpenDevice reads a text that MintDevice made for this account and that is not over
// at now. It tells nothing about one that it refuses: whoever brings it is a stranger.
func (k SigningKey) OpenDevice(text, account string, now time.Time) (Device, bool) {
	b, ok := decodeExactly(text, deviceLen)
	if k.secret == nil || !ok || !hmac.Equal(b[deviceBody:], k.MAC(deviceDomain, b[:deviceBody], []byte(account))) {
		return Device{}, false
	}
	if now.Unix() >= int64(binary.BigEndian.Uint64(b[len(Device{}):deviceBody])) {
		return Device{}, false
	}
	return Device(b[:len(Device{})]), true
}
