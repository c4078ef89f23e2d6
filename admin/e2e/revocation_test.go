package e2e

import (
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestRevokedKeyStopsAtOnceOnEveryRoad(t *testing.T) {
	dir := dataDir(t)
	admin := shellKey(t, dir, "--name", "admin")
	byHTTP, byShell, stopped, itself := shellKey(t, dir, "--name", "a"), shellKey(t, dir, "--name", "b"),
		shellKey(t, dir, "--name", "c"), shellKey(t, dir, "--name", "d")
	s := serve(t, dir)
	for _, k := range []apiKey{byHTTP, byShell, stopped, itself} {
		s.call("GET", "/api/invoices", k.Key, "").want(t, 200)
	}

	first := data[apiKey](t, s.call("DELETE", "/api/api-keys/"+byHTTP.UID, admin.Key, "").want(t, 200))
	s.call("GET", "/api/invoices", byHTTP.Key, "").wantError(t, 401, "api_key_revoked")
	again := data[apiKey](t, s.call("DELETE", "/api/api-keys/"+byHTTP.UID, admin.Key, "").want(t, 200))
	if first.RevokedAt == nil || *first.RevokedAt != *again.RevokedAt || again.State != "revoked" {
		t.Errorf("second revocation: %+v, first %+v", again, first)
	}

	mustShell(t, "keys", "revoke", byShell.UID, "--yes", "--data-dir", dir)
	s.call("GET", "/api/invoices", byShell.Key, "").wantError(t, 401, "api_key_revoked")

	s.call("DELETE", "/api/api-keys/"+itself.UID, itself.Key, "").want(t, 200)
	s.call("GET", "/api/invoices", itself.Key, "").wantError(t, 401, "api_key_revoked")

	s.stop()
	mustShell(t, "keys", "revoke", "--yes", "--data-dir", dir, stopped.UID)
	s = serve(t, dir)
	for _, k := range []apiKey{byHTTP, byShell, stopped, itself} {
		s.call("GET", "/api/invoices", k.Key, "").wantError(t, 401, "api_key_revoked")
	}
	keys := data[struct{ Items []apiKey }](t, s.call("GET", "/api/api-keys", admin.Key, "").want(t, 200))
	if len(keys.Items) != 5 {
		t.Errorf("%d keys listed, want all 5", len(keys.Items))
	}
	s.stop()
	mustShell(t, "verify", "--data-dir", dir)
}

// A revocation that was acknowledged holds after kill -9.
func TestRevocationSurvivesKill(t *testing.T) {
	dir := dataDir(t)
	admin, victim := shellKey(t, dir, "--name", "admin"), shellKey(t, dir, "--name", "victim")
	s := serve(t, dir)
	s.call("DELETE", "/api/api-keys/"+victim.UID, admin.Key, "").want(t, 200)
	s.kill()
	s = serve(t, dir)
	s.call("GET", "/api/invoices", victim.Key, "").wantError(t, 401, "api_key_revoked")
}

// While 16 connections use a key, no request that starts after the answer to
// its revocation is accepted on any of them.
func TestRevocationReachesEveryOpenConnection(t *testing.T) {
	dir := dataDir(t)
	admin := shellKey(t, dir, "--name", "admin", "--rate-limit", "1000000/1m")
	s := serve(t, dir)
	for round := range 5 {
		victim := shellKey(t, dir, "--name", "victim", "--rate-limit", "1000000/1m")
		var acknowledged atomic.Int64 // when the revocation was answered, in Unix nanoseconds
		var late, accepted, refused atomic.Int64
		var users sync.WaitGroup
		for range 16 {
			users.Go(func() {
				for range 5000 {
					began := time.Now().UnixNano()
					a, err := s.try("GET", "/api/api-keys/current", victim.Key, "")
					switch {
					case err != nil:
						t.Errorf("round %d: %v", round, err)
						return
					case a.status == http.StatusOK:
						accepted.Add(1)
						if ack := acknowledged.Load(); ack != 0 && began > ack {
							late.Add(1)
						}
					default:
						refused.Add(1)
						return
					}
				}
			})
		}
		s.waitFor("some accepted requests", func() bool { return accepted.Load() > 100 })
		if round%2 == 0 {
			s.call("DELETE", "/api/api-keys/"+victim.UID, admin.Key, "").want(t, 200)
		} else {
			mustShell(t, "keys", "revoke", victim.UID, "--yes", "--data-dir", dir)
		}
		acknowledged.Store(time.Now().UnixNano())
		users.Wait()
		if late.Load() != 0 || refused.Load() != 16 {
			t.Errorf("round %d: %d late, %d of 16 connections refused", round, late.Load(), refused.Load())
		}
	}
}

func TestRotationKeepsTheOldKeyForItsGraceOnly(t *testing.T) {
	dir := dataDir(t)
	admin, old := shellKey(t, dir, "--name", "admin"), shellKey(t, dir, "--name", "old")
	s := serve(t, dir)
	next := data[apiKey](t, s.call("POST", "/api/api-keys/"+old.UID+"/rotate", admin.Key, `{"grace_days":1}`).want(t, 201))
	s.call("GET", "/api/invoices", old.Key, "").want(t, 200)
	s.call("GET", "/api/invoices", next.Key, "").want(t, 200)
	s.call("POST", "/api/api-keys/"+old.UID+"/rotate", admin.Key, `{}`).wantError(t, 409, "key_not_active")
	last := data[apiKey](t, s.call("POST", "/api/api-keys/"+next.UID+"/rotate", admin.Key, `{"grace_days":0}`).want(t, 201))
	s.call("GET", "/api/invoices", next.Key, "").wantError(t, 401, "api_key_revoked")
	s.call("GET", "/api/invoices", last.Key, "").want(t, 200)
}
