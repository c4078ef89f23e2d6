package auth_test

import (
	"bytes"
	"strings"
	"testing"

	"exante/auth"
)

func TestDeviceIsKnownForAYearAtItsAccount(t *testing.T) {
	k := mintSigningKey(t)
	text, err := k.MintDevice("ann@example.com", noon, nil)
	if err != nil {
		t.Fatal(err)
	}
	device, ok := k.OpenDevice(text, "ann@example.com", noon)
	if !ok || device == (auth.Device{}) {
		t.Fatalf("OpenDevice = %v, %v", device, ok)
	}
	if again, ok := k.OpenDevice(text, "ann@example.com", noon.Add(auth.DeviceLife-1)); !ok || again != device {
		t.Errorf("at the end of its life it is %v, %v, want %v", again, ok, device)
	}
	if _, ok := k.OpenDevice(text, "ann@example.com", noon.Add(auth.DeviceLife)); ok {
		t.Error("it outlives its end")
	}
	for _, account := range []string{"", "bob@example.com", "ann@example.co", "ann@example.comm"} {
		if _, ok := k.OpenDevice(text, account, noon); ok {
			t.Errorf("it is known at %q", account)
		}
	}
	if other, err := k.MintDevice("ann@example.com", noon, nil); err != nil || other == text {
		t.Errorf("the next one is %q, %v: the same", other, err)
	}
	if strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
		t.Errorf("%q needs quoting in a cookie", text)
	}
}

func TestEveryChangeOfADeviceMakesAStranger(t *testing.T) {
	k := mintSigningKey(t)
	text, err := k.MintDevice("ann@example.com", noon, bytes.NewReader(make([]byte, 16)))
	if err != nil {
		t.Fatal(err)
	}
	bad := []string{"", text[1:], text[:len(text)-1], text + "A", text + "=", text + "\n", strings.Repeat("*", len(text))}
	for i := range text {
		for _, c := range "A_9z" {
			if changed := text[:i] + string(c) + text[i+1:]; changed != text {
				bad = append(bad, changed)
			}
		}
	}
	for _, text := range bad {
		if d, ok := k.OpenDevice(text, "ann@example.com", noon); ok || d != (auth.Device{}) {
			t.Errorf("%q is known", text)
		}
	}
	for name, other := range map[string]auth.SigningKey{"another": mintSigningKey(t), "no": {}} {
		if _, ok := other.OpenDevice(text, "ann@example.com", noon); ok {
			t.Errorf("%s key knows it", name)
		}
	}
	if _, err := k.MintDevice("ann@example.com", noon, strings.NewReader("short")); err == nil {
		t.Error("a device was made of too little randomness")
	}
}
