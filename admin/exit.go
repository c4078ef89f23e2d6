package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"syscall"

	"exante/admin/config"
	"exante/admin/sealed"
	"exante/admin/transfer"
	"exante/auth"
	"exante/storage"
	"exante/storage/archive"
	"exante/storage/billing"
	"exante/storage/input"
)

// The exit codes. Scripts rely on them.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2 // usage, or a bad setting
	exitNotFound    = 3
	exitInvalid     = 4
	exitInUse       = 5
	exitUnreachable = 6
	exitDamaged     = 7
)

// What the desk itself finds out.
var (
	errUsage       = errors.New("usage") // always as *usageError
	errNeedsYes    = errors.New("not confirmed: there is no terminal to ask on")
	errDeclined    = errors.New("not confirmed: nothing was changed")
	errWhichOrg    = errors.New("there is more than one organization")
	errNoOrg       = errors.New("there is no organization")
	errExistsHere  = errors.New("a store exists already")
	errDirectory   = errors.New("data directory is not safe to use")
	errForeign     = errors.New("the directory is somebody else's")
	errSocketPath  = errors.New("the path of the admin socket is too long")
	errSocketTaken = errors.New("the admin socket belongs to something else")
	errNoServer    = errors.New("no server runs here")
	errUnreachable = errors.New("the server does not answer")
	errUnhealthy   = errors.New("the server is not healthy")
	errPeer        = errors.New("this Unix user may not operate the server")
	errSkew        = errors.New("the running server does not understand this command")
	errRefused     = errors.New("refused lines")
	errNotAKey     = errors.New("there is no key in the text")
	errNotOurs     = errors.New("well formed, but no key of this installation")
	errFindings    = errors.New("the store is damaged")
	errFileExists  = errors.New("the file exists already")
	errNoFile      = errors.New("it is no file that could be replaced")
)

// outcome is what one kind of error means to an operator.
type outcome struct {
	err  error
	code string // names err over the socket; never changes its meaning
	exit int
	hint string // "": there is nothing to advise
}

// outcomes lists every error that an operator can be told about. The first that
// an error Is applies; one that is not listed exits 1 and says what it says.
var outcomes = []outcome{
	{errUsage, "usage", exitUsage, ""},
	{config.ErrSetting, "bad_setting", exitUsage, "the settings are explained by: exante serve --help"},
	{errSecretFile, "secret_file", exitUsage, "make one with: exante keys mint --output PATH"},
	{errNeedsYes, "needs_yes", exitUsage, "add --yes to go on without being asked"},
	{errDeclined, "declined", exitFailed, ""},
	{errWhichOrg, "which_org", exitUsage, "name one, as ORG or with --org; list them with: exante orgs list"},
	{errNoOrg, "no_org", exitNotFound, "make one with: exante orgs create --name NAME"},
	{errExistsHere, "exists_here", exitFailed, "it can be used as it is, by: exante serve"},
	{errDirectory, "unsafe_directory", exitFailed, ""},
	{errForeign, "foreign_directory", exitFailed, "choose a data directory that is empty or does not exist yet"},
	{errSocketPath, "socket_path", exitUsage, "choose a shorter one with [admin] socket, for all commands of this installation"},
	{errSocketTaken, "socket_taken", exitInUse, "choose another one with [admin] socket"},
	{errNoServer, "no_server", exitUnreachable, "start it with: exante serve, or name its store with --data-dir or --config"},
	{errUnreachable, "unreachable", exitUnreachable, "see whether it runs; after a change of keys, list them to learn whether it was made"},
	{errUnhealthy, "unhealthy", exitFailed, "its log says more; so does: exante status"},
	{errPeer, "peer_refused", exitFailed, "run the command as the owner of the data directory, or as root"},
	{errSkew, "version_skew", exitFailed, "the server may be of another version than this command: restart it"},
	{errFindings, "findings", exitDamaged, "stop the server, keep a copy of the directory, then restore a backup"},

	{errNotAKey, "not_a_key", exitNotFound, ""},
	{errNotOurs, "not_ours", exitNotFound, ""},
	{errRefused, "lines_refused", exitInvalid, "correct what --report has in text, and import that"},
	{transfer.ErrOtherFile, "other_file", exitInvalid, "give another file another --id"},

	{storage.ErrNotFound, "not_found", exitNotFound, ""},
	{storage.ErrExists, "exists", exitInvalid, ""},
	{input.ErrInvalid, "invalid", exitInvalid, ""},
	{storage.ErrConflict, "conflict", exitInvalid, "somebody changed it meanwhile: try again"},
	{billing.ErrTransition, "illegal_transition", exitInvalid, ""},
	{billing.ErrLockedFields, "invoice_locked", exitInvalid, ""},
	{billing.ErrNotDeletable, "not_deletable", exitInvalid, ""},
	{storage.ErrSecretEnded, "secret_ended", exitInvalid, "make another one with: exante keys mint"},
	{storage.ErrKeyNotActive, "key_not_active", exitInvalid, "only an active key can be rotated: create a new one"},
	{storage.ErrUserDisabled, "user_disabled", exitInvalid, "let him back in with: exante users enable UID"},
	{storage.ErrKeyEnded, "key_ended", exitInvalid, "create a new one with: exante keys create"},
	{storage.ErrLastOwner, "last_owner", exitInvalid, "make somebody else an owner first, with: exante users role UID owner"},
	{storage.ErrTooLarge, "too_large", exitInvalid, ""},
	{auth.ErrBadScopes, "bad_scopes", exitInvalid, "scopes: invoices, parties, api_keys, each with :read or :write"},
	{auth.ErrBadLimits, "bad_limits", exitInvalid, `limits look like "600/1m,20000/24h"`},
	{auth.ErrBadNetworks, "bad_networks", exitInvalid, "networks look like 10.0.0.0/8 or 2001:db8::/32"},
	{storage.ErrAuditUnavailable, "audit_unavailable", exitFailed, "make room for it, or name another file with [audit] copy; it is tried again by itself"},
	{auth.ErrBusy, "busy", exitFailed, "the server is verifying too many keys right now: try again"},

	{storage.ErrLowDisk, "low_disk", exitFailed, "nothing was changed; free that much, or enlarge the file system: writes then work again by themselves"},
	{storage.ErrForeignCopy, "foreign_copy", exitInvalid, "name the right one with --audit-log; move one that is in the way elsewhere, and a new one is begun"},
	{storage.ErrBrokenCopy, "broken_copy", exitDamaged, "keep it as evidence; name another one with --audit-log, or move it elsewhere and add --revoke-all-keys"},
	{storage.ErrFullDisk, "full_disk", exitDamaged, "free that much, or enlarge the file system, then run it again; [storage] min_free says how much is kept back"},
	{storage.ErrInUse, "in_use", exitInUse, "another process has it open: let it finish, or stop it"},
	{storage.ErrNoStore, "no_store", exitFailed, "make one with: exante init, or name another with --data-dir"},
	{storage.ErrCorrupt, "corrupt", exitDamaged, "keep a copy of the directory, then restore a backup"},
	{auth.ErrBadHash, "bad_hash", exitDamaged, "keep a copy of the directory, then restore a backup"},
	{storage.ErrNewer, "newer", exitFailed, "use the exante that wrote it, or a newer one"},
	{storage.ErrUnknown, "unknown_outcome", exitFailed, "check the disk; after a restart, list the records to learn whether the change was made"},
	{storage.ErrClosed, "closed", exitUnreachable, "the server is stopping: try again"},

	{archive.ErrDamaged, "backup_damaged", exitDamaged, "it can't be restored: take another one"},
	{archive.ErrNotBackup, "not_a_backup", exitInvalid, ""},
	{archive.ErrNewer, "backup_newer", exitFailed, "use the exante that wrote it, or a newer one"},
	{archive.ErrNoMAC, "backup_without_mac", exitInvalid, "to take it on trust all the same, set EXANTE_BACKUP_MAC_KEY_FILE= (empty)"},
	{archive.ErrNeedsKey, "backup_needs_key", exitUsage, "name its key file: [backup] mac_key_file, or EXANTE_BACKUP_MAC_KEY_FILE=FILE"},
	{archive.ErrForged, "backup_forged", exitDamaged, "see that it is the key file of the server that made it"},
	{sealed.ErrSealed, "backup_encrypted", exitUsage, "name the file with your age identity: --age-identity FILE"},
	{sealed.ErrNotSealed, "backup_not_encrypted", exitInvalid, "if that is as it should be, leave --age-identity out"},
	{sealed.ErrIdentity, "wrong_identity", exitInvalid, ""},
	{sealed.ErrRecipient, "bad_recipient", exitUsage, "recipients look like age1...; age-keygen makes them"},
	{storage.ErrNotBackedUp, "not_backed_up", exitFailed, "nothing was changed; make room there, or name another directory with [backup] dir, and run it again"},
	{storage.ErrBackupRunning, "backup_running", exitInUse, "let it finish"},
	{storage.ErrOccupied, "occupied", exitFailed, "name a directory that is empty or absent with --data-dir"},
	{errFileExists, "file_exists", exitFailed, "choose another name, or add --force to replace it"},
	{errNoFile, "no_file", exitFailed, "to write to a pipe or a device, send standard output there: --output - > PATH"},

	{syscall.EADDRINUSE, "address_in_use", exitFailed, "another program has the port: choose one with --listen HOST:PORT"},
	{context.Canceled, "interrupted", exitFailed, ""},
	{fs.ErrPermission, "permission", exitFailed, "run the command as the owner of the data directory"},
}

// outcomeOf is the row of err; false if it has none.
func outcomeOf(err error) (outcome, bool) {
	for _, o := range outcomes {
		if errors.Is(err, o.err) {
			return o, true
		}
	}
	return outcome{}, false
}

// verdict is what is said of err in the end.
func verdict(err error) (o outcome) {
	o, known := outcomeOf(err)
	if !known {
		o = outcome{code: "failed", exit: exitFailed}
	}
	var usage *usageError
	if errors.As(err, &usage) {
		o.hint = usage.hint
	}
	return o
}

// report tells the operator about err and returns the exit code.
func report(stderr io.Writer, err error) int {
	if err == nil {
		return exitDone
	}
	o := verdict(err)
	prefix := "exante:"
	if colours(stderr) {
		prefix = paint(prefix, red)
	}
	for line := range strings.Lines(message(err)) { // which may quote a file, a record or another process
		fmt.Fprintln(stderr, prefix, printable(strings.TrimSuffix(line, "\n")))
	}
	if o.hint != "" {
		fmt.Fprintln(stderr, "hint:", o.hint)
	}
	return o.exit
}

// reportJSON is report for a program: one object on a line of its own, the last.
func reportJSON(stderr io.Writer, err error) int {
	if err == nil {
		return exitDone
	}
	o := verdict(err)
	line, failed := json.Marshal(struct {
		Error string  `json:"error"`
		Code  string  `json:"code"`
		Exit  int     `json:"exit"`
		Hint  *string `json:"hint"`
	}{message(err), o.code, o.exit, orNull(o.hint)})
	if failed != nil { // text and numbers always have a form in JSON
		return report(stderr, errors.Join(err, failed))
	}
	fmt.Fprintln(stderr, string(line))
	return o.exit
}

// message is err as a person reads it: a refused record names its fields one a line.
func message(err error) string {
	if errors.Is(err, context.Canceled) {
		return "interrupted"
	}
	var invalid *input.InvalidError
	if !errors.As(err, &invalid) || len(invalid.Problems) == 0 {
		return err.Error()
	}
	lines := make([]string, len(invalid.Problems))
	for i, p := range invalid.Problems {
		lines[i] = "invalid " + p.String()
	}
	return strings.Join(lines, "\n")
}

// usageError is a command line that was not understood.
type usageError struct{ text, hint string }

func usagef(hint, format string, args ...any) error {
	return &usageError{fmt.Sprintf(format, args...), hint}
}

func (e *usageError) Error() string        { return e.text }
func (e *usageError) Is(target error) bool { return target == errUsage }
