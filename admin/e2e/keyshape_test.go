package e2e

import (
	"encoding/json"
	"reflect"
	"testing"
)

// A script may take a key from the API or from the shell: both write the same
// fields with the same values, whatever the key's state.
func TestShellAndAPIShowTheSameKey(t *testing.T) {
	dir := dataDir(t)
	admin := shellKey(t, dir, "--name", "admin")
	keys := []apiKey{
		shellKey(t, dir, "--name", "plain <&> é"),
		shellKey(t, dir, "--name", "narrow", "--scopes", "parties:write,invoices:read", "--expires-in-days", "90",
			"--rate-limit", "5/1s,20000/24h", "--allowed-cidrs", "10.0.0.0/8,2001:db8::/32"),
		shellKey(t, dir, "--name", "revoked"),
		shellKey(t, dir, "--name", "rotated"),
		admin,
	}
	s := serve(t, dir)
	s.call("DELETE", "/api/api-keys/"+keys[2].UID, admin.Key, "").want(t, 200)
	successor := data[apiKey](t, s.call("POST", "/api/api-keys/"+keys[3].UID+"/rotate", admin.Key, `{"grace_days":3}`).want(t, 201))
	for _, k := range append(keys, successor) {
		api := data[map[string]any](t, s.call("GET", "/api/api-keys/"+k.UID, admin.Key, "").want(t, 200))
		var shell map[string]any
		if err := json.Unmarshal([]byte(mustShell(t, "keys", "show", k.UID, "--json", "--data-dir", dir)), &shell); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(api, shell) {
			t.Errorf("key %s:\nAPI   %v\nshell %v", k.Name, api, shell)
		}
	}
}
