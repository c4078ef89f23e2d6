package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

// Remote is Ops on a running server, over its socket.
type Remote struct {
	path   string
	client *http.Client
}

var _ Ops = Remote{}

// NewRemote returns the Ops behind the socket at path. A server that accepts a
// call but does not begin to answer within patience is errUnreachable.
func NewRemote(path string, patience time.Duration) Remote {
	return Remote{path, &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", path)
		},
		ResponseHeaderTimeout: patience,
		DisableKeepAlives:     true,
	}}}
}

// call asks for one operation and waits for its result.
func (op operation[In, Out]) call(ctx context.Context, r Remote, in In, progress Progress) (out Out, err error) {
	body, err := json.Marshal(in)
	if err != nil {
		return out, err
	}
	err = r.ask(ctx, op.name, bytes.NewReader(body), &out, progress, nil)
	return out, err
}

// ask posts body and waits for the result. note, which may be nil, is given every
// reply before it that is no progress.
func (r Remote) ask(ctx context.Context, name string, body io.Reader, out any, progress Progress, note func(reply) error) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://exante/"+name, body)
	if err != nil {
		return err
	}
	resp, err := r.client.Do(req)
	if err != nil {
		return r.silence(ctx, err)
	}
	defer resp.Body.Close()
	answer, err := r.answer(ctx, resp.Body, progress, note)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return errSkew
	}
	return nil
}

// answer reads replies up to the result.
func (r Remote) answer(ctx context.Context, body io.Reader, progress Progress, note func(reply) error) (json.RawMessage, error) {
	for lines := json.NewDecoder(body); ; {
		var line reply
		if err := lines.Decode(&line); err != nil {
			return nil, r.silence(ctx, err)
		}
		switch {
		case line.Failure != nil:
			return nil, line.Failure.err()
		case line.Result != nil:
			return line.Result, nil
		case line.Progress != nil && progress != nil:
			progress(line.Progress.Done, line.Progress.Total)
		case line.Progress == nil && note != nil:
			if err := note(line); err != nil {
				return nil, err
			}
		}
	}
}

// silence is what to say when the server did not answer, or not to the end.
func (r Remote) silence(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var request *url.Error
	if errors.As(err, &request) {
		err = request.Err // without an address that means nothing to people
	}
	return fmt.Errorf("%w on %s: %v", errUnreachable, r.path, err)
}

// CreateKey implements Ops.
func (r Remote) CreateKey(ctx context.Context, in KeyRequest) (NewKey, error) {
	return opCreateKey.call(ctx, r, in, nil)
}

// RotateKey implements Ops.
func (r Remote) RotateKey(ctx context.Context, in RotateRequest) (NewKey, error) {
	return opRotateKey.call(ctx, r, in, nil)
}

// RevokeKey implements Ops.
func (r Remote) RevokeKey(ctx context.Context, in KeyRef) (APIKey, error) {
	return opRevokeKey.call(ctx, r, in, nil)
}

// APIKey implements Ops.
func (r Remote) APIKey(ctx context.Context, in KeyRef) (APIKey, error) {
	return opAPIKey.call(ctx, r, in, nil)
}

// APIKeys implements Ops.
func (r Remote) APIKeys(ctx context.Context, in KeysRequest) ([]JudgedKey, error) {
	return opAPIKeys.call(ctx, r, in, nil)
}

// CreateOrg implements Ops.
func (r Remote) CreateOrg(ctx context.Context, in OrgRequest) (Organization, error) {
	return opCreateOrg.call(ctx, r, in, nil)
}

// Orgs implements Ops.
func (r Remote) Orgs(ctx context.Context) ([]Organization, error) {
	return opOrgs.call(ctx, r, nothing{}, nil)
}

// SetOrg implements Ops.
func (r Remote) SetOrg(ctx context.Context, in OrgChange) (Organization, error) {
	return opSetOrg.call(ctx, r, in, nil)
}

// CreateUser implements Ops.
func (r Remote) CreateUser(ctx context.Context, in UserRequest) (NewUser, error) {
	return opCreateUser.call(ctx, r, in, nil)
}

// Users implements Ops.
func (r Remote) Users(ctx context.Context, in OrgRef) ([]User, error) {
	return opUsers.call(ctx, r, in, nil)
}

// AuditRecords implements Ops.
func (r Remote) AuditRecords(ctx context.Context, in AuditRequest) ([]AuditRecord, error) {
	return opAuditRecords.call(ctx, r, in, nil)
}

// VerifyAudit implements Ops.
func (r Remote) VerifyAudit(ctx context.Context, in AuditCheck, progress Progress) (AuditReport, error) {
	return opVerifyAudit.call(ctx, r, in, progress)
}

// Verify implements Ops.
func (r Remote) Verify(ctx context.Context, progress Progress) (VerifyReport, error) {
	return opVerify.call(ctx, r, nothing{}, progress)
}
