package storage

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"time"

	"github.com/fxamacker/cbor/v2"

	"exante/storage/kv"
)

// Every value on disk is an envelope:
//
//	1 byte   version of the record's schema
//	1 byte   kind: the family it was written for
//	4 bytes  CRC-32C of the key, the two bytes above and the payload
//	rest     payload, CBOR (RFC 8949) with integer map keys
//
// The key is part of the checksum, so a value that turns up under another key
// is as damaged as one with a flipped bit. The checksum finds accidents; it is
// no proof against forgery (the audit chain is).
const (
	recordVersion = 1
	envelopeHead  = 6
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// encMode writes one form for one value: the audit chain and backups hash it.
// decMode refuses what it does not know: a field from the future is data loss
// when the record is written back.
var (
	encMode = must(cbor.EncOptions{
		Sort: cbor.SortCoreDeterministic, Time: cbor.TimeRFC3339Nano,
	}.EncMode())
	decMode = must(cbor.DecOptions{
		DupMapKey: cbor.DupMapKeyEnforcedAPF, ExtraReturnErrors: cbor.ExtraDecErrorUnknownField,
		IndefLength: cbor.IndefLengthForbidden, MaxNestedLevels: 8,
	}.DecMode())
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err) // a constant set of options: a programmer's mistake
	}
	return v
}

func checksum(key []byte, head, payload []byte) uint32 {
	sum := crc32.Update(0, castagnoli, key)
	sum = crc32.Update(sum, castagnoli, head)
	return crc32.Update(sum, castagnoli, payload)
}

// seal encodes record as the value of key.
func seal(key []byte, kind byte, record any) ([]byte, error) {
	payload, err := encMode.Marshal(record)
	if err != nil {
		return nil, fmt.Errorf("encode record %s: %w", describe(key), err)
	}
	return sealBytes(key, kind, payload), nil
}

func sealBytes(key []byte, kind byte, payload []byte) []byte {
	value := make([]byte, envelopeHead+len(payload))
	copy(value[envelopeHead:], payload)
	sealHere(key, kind, value)
	return value
}

// sealHere makes an envelope of value, whose payload stands behind room for the head.
func sealHere(key []byte, kind byte, value []byte) {
	value[0], value[1] = recordVersion, kind
	binary.BigEndian.PutUint32(value[2:], checksum(key, value[:2], value[envelopeHead:]))
}

// open checks the envelope of key's value and decodes it into record.
// ErrCorrupt, or ErrNewer for a version above ours.
func open(key []byte, kind byte, value []byte, record any) error {
	payload, err := openBytes(key, kind, value)
	if err != nil {
		return err
	}
	if err := decMode.Unmarshal(payload, record); err != nil {
		return fmt.Errorf("%w: record %s: %v", ErrCorrupt, describe(key), err)
	}
	return nil
}

// intact checks the checksum of key's value, whatever it holds. ErrCorrupt.
func intact(key, value []byte) error {
	switch {
	case len(value) < envelopeHead:
		return fmt.Errorf("%w: record %s has %d bytes", ErrCorrupt, describe(key), len(value))
	case binary.BigEndian.Uint32(value[2:]) != checksum(key, value[:2], value[envelopeHead:]):
		return fmt.Errorf("%w: record %s fails its checksum", ErrCorrupt, describe(key))
	}
	return nil
}

func openBytes(key []byte, kind byte, value []byte) ([]byte, error) {
	if err := intact(key, value); err != nil {
		return nil, err
	}
	switch {
	case value[0] > recordVersion:
		return nil, fmt.Errorf("%w: record %s has version %d", ErrNewer, describe(key), value[0])
	case value[0] == 0 || value[1] != kind:
		return nil, fmt.Errorf("%w: record %s is of kind %q version %d", ErrCorrupt, describe(key), value[1], value[0])
	}
	return value[envelopeHead:], nil
}

// get reads and opens one record; ErrNotFound if there is none.
func get(r kv.Reader, key []byte, kind byte, record any) error {
	value, err := r.Get(key)
	if errors.Is(err, kv.ErrNotFound) {
		return ErrNotFound
	}
	if err != nil {
		return err
	}
	return open(key, kind, value, record)
}

// recall is get for records that the lines of a batch read again and again. What
// it returns is shared: a pointer in it must not be written through.
func recall[R any](t *tx, key []byte, kind byte, record *R) error {
	if had, known := t.recent[string(key)].(R); known {
		*record = had
		return nil
	}
	err := get(t, key, kind, record)
	if err == nil && t.recent != nil {
		t.recent[string(key)] = *record
	}
	return err
}

// put seals and writes one record.
func put(tx kv.Txn, key []byte, kind byte, record any) error {
	value, err := seal(key, kind, record)
	if err != nil {
		return err
	}
	return tx.Put(key, value)
}

// insert is put for a key that must be new: kv.ErrExists otherwise.
func insert(tx kv.Txn, key []byte, kind byte, record any) error {
	value, err := seal(key, kind, record)
	if err != nil {
		return err
	}
	return tx.Insert(key, value)
}

// scan opens the records of a range in key order. key is valid only during the
// call of fn; rec is fn's to keep.
func scan[R any](r kv.Reader, in kv.Range, kind byte, fn func(key []byte, rec *R) error) error {
	return scanWhile(r, in, kind, func(key []byte, rec *R) (bool, error) { return true, fn(key, rec) })
}

// scanWhile is scan until fn wants no more.
func scanWhile[R any](r kv.Reader, in kv.Range, kind byte, fn func(key []byte, rec *R) (more bool, err error)) error {
	return r.Scan(in, kv.ScanOptions{}, func(key, value []byte) (bool, error) {
		rec := new(R)
		if err := open(key, kind, value, rec); err != nil {
			return false, err
		}
		return fn(key, rec)
	})
}

// stamp is an instant on disk: milliseconds since the zero time, which is 0 and
// means never.
type stamp int64

func stampOf(t time.Time) stamp { return stamp(t.UnixMilli() - time.Time{}.UnixMilli()) }

func (s stamp) time() time.Time {
	if s == 0 {
		return time.Time{}
	}
	return time.UnixMilli(int64(s) + time.Time{}.UnixMilli()).UTC()
}
