package storagetest

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"os"
	"path/filepath"
	"testing"

	"exante/storage/kv"
)

// SetSchema makes the closed store in dir one of another schema, for tests of
// programs that only see a directory. One of schema 2 has no anchor and no key for it.
func SetSchema(tb testing.TB, dir string, schema byte) {
	tb.Helper()
	db, err := kv.Open(kv.Options{Dir: dir})
	if err != nil {
		tb.Fatal(err)
	}
	err = db.Update(tb.Context(), func(tx kv.Txn) error {
		key := []byte("gm")
		value, err := tx.Get(key)
		if err != nil {
			return err
		}
		// A head of 6 bytes, then CBOR: a map of three, 1 and a uid, 2 and the schema.
		const head, at = 6, 6 + 1 + 1 + 1 + 16 + 1
		if value[at-1] != 2 || value[at] > 23 || schema > 23 {
			return errors.New("the marker is no longer laid out like that")
		}
		value[at] = schema
		sum := crc32.Checksum(append(append(append([]byte{}, key...), value[:2]...), value[head:]...), crc32.MakeTable(crc32.Castagnoli))
		binary.BigEndian.PutUint32(value[2:], sum)
		if schema < 3 {
			err = tx.Delete([]byte("gk"))
		}
		return errors.Join(err, tx.Put(key, value))
	})
	if schema < 3 {
		err = errors.Join(err, os.Remove(filepath.Join(dir, "exante.anchor")))
	}
	if err := errors.Join(err, db.Close()); err != nil {
		tb.Fatal(err)
	}
}
