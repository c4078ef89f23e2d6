package admin

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"sync"
	"time"

	"exante/storage/input"
)

// operation is one method of Ops on the socket: a POST of In as JSON to /name.
// The answer is a stream of replies: any number of notes, then one
// result or failure.
type operation[In, Out any] struct {
	name string
	run  func(context.Context, Ops, In, Progress) (Out, error)
}

type nothing struct{}

// What can be asked over the socket. Both ends use these values, so that a name
// or a type cannot differ between them.
var (
	opCreateKey = operation[KeyRequest, NewKey]{"keys/create", silent(Ops.CreateKey)}
	opRotateKey = operation[RotateRequest, NewKey]{"keys/rotate", silent(Ops.RotateKey)}
	opRevokeKey = operation[KeyRef, APIKey]{"keys/revoke", silent(Ops.RevokeKey)}
	opAPIKey    = operation[KeyRef, APIKey]{"keys/show", silent(Ops.APIKey)}
	opAPIKeys   = operation[KeysRequest, []JudgedKey]{"keys/list", silent(Ops.APIKeys)}
	opCreateOrg = operation[OrgRequest, Organization]{"orgs/create", silent(Ops.CreateOrg)}
	opOrgs      = operation[nothing, []Organization]{"orgs/list", func(ctx context.Context, o Ops, _ nothing, _ Progress) ([]Organization, error) {
		return o.Orgs(ctx)
	}}
	opSetOrg       = operation[OrgChange, Organization]{"orgs/set", silent(Ops.SetOrg)}
	opCreateUser   = operation[UserRequest, NewUser]{"users/create", silent(Ops.CreateUser)}
	opUsers        = operation[OrgRef, []User]{"users/list", silent(Ops.Users)}
	opAuditRecords = operation[AuditRequest, []AuditRecord]{"audit/list", silent(Ops.AuditRecords)}
	opVerifyAudit  = operation[AuditCheck, AuditReport]{"audit/verify", func(ctx context.Context, o Ops, in AuditCheck, p Progress) (AuditReport, error) {
		return o.VerifyAudit(ctx, in, p)
	}}
	opVerify = operation[nothing, VerifyReport]{"verify", func(ctx context.Context, o Ops, _ nothing, p Progress) (VerifyReport, error) {
		return o.Verify(ctx, p)
	}}
)

// What operators do with people.
var (
	opDisableUser = operation[UserRef, User]{"users/disable", silent(Ops.DisableUser)}
	opEnableUser  = operation[UserRef, User]{"users/enable", silent(Ops.EnableUser)}
	opSetRole     = operation[RoleRequest, User]{"users/role", silent(Ops.SetRole)}
	opSetPassword = operation[PasswordRequest, User]{"users/password", silent(Ops.SetPassword)}
	opLinkUser    = operation[UserRef, NewUser]{"users/link", silent(Ops.LinkUser)}
	opSessions    = operation[SessionsRef, []Session]{"sessions/list", silent(Ops.Sessions)}
	opEndSession  = operation[SessionRef, Session]{"sessions/end", silent(Ops.EndSession)}
	opEndSessions = operation[UserRef, []Session]{"sessions/end-all", silent(Ops.EndSessions)}
)

// What they do with single keys and invoices.
var (
	opSetKey       = operation[KeyChange, APIKey]{"keys/set", silent(Ops.SetKey)}
	opIdentifyKeys = operation[IdentifyRequest, []IdentifiedKey]{"keys/identify", silent(Ops.IdentifyKeys)}
	opInvoice      = operation[InvoiceRef, InvoiceAnswer]{"invoices/show", silent(Ops.Invoice)}
	opSendInvoice  = operation[InvoiceRef, InvoiceAnswer]{"invoices/send", silent(Ops.SendInvoice)}
	opVoidInvoice  = operation[InvoiceRef, InvoiceAnswer]{"invoices/void", silent(Ops.VoidInvoice)}
	opPayInvoice   = operation[PayRequest, InvoiceAnswer]{"invoices/pay", silent(Ops.PayInvoice)}
)

// silent is a method of Ops that tells no progress.
func silent[In, Out any](do func(Ops, context.Context, In) (Out, error)) func(context.Context, Ops, In, Progress) (Out, error) {
	return func(ctx context.Context, o Ops, in In, _ Progress) (Out, error) { return do(o, ctx, in) }
}

// mount registers every operation. ops is asked who connected.
func mount(mux *http.ServeMux, ops func(*http.Request) Ops) {
	opCreateKey.mount(mux, ops)
	opRotateKey.mount(mux, ops)
	opRevokeKey.mount(mux, ops)
	opAPIKey.mount(mux, ops)
	opAPIKeys.mount(mux, ops)
	opCreateOrg.mount(mux, ops)
	opOrgs.mount(mux, ops)
	opSetOrg.mount(mux, ops)
	opCreateUser.mount(mux, ops)
	opUsers.mount(mux, ops)
	opDisableUser.mount(mux, ops)
	opEnableUser.mount(mux, ops)
	opSetRole.mount(mux, ops)
	opSetPassword.mount(mux, ops)
	opLinkUser.mount(mux, ops)
	opSessions.mount(mux, ops)
	opEndSession.mount(mux, ops)
	opEndSessions.mount(mux, ops)
	opSetKey.mount(mux, ops)
	opIdentifyKeys.mount(mux, ops)
	opInvoice.mount(mux, ops)
	opSendInvoice.mount(mux, ops)
	opVoidInvoice.mount(mux, ops)
	opPayInvoice.mount(mux, ops)
	opAuditRecords.mount(mux, ops)
	opVerifyAudit.mount(mux, ops)
	opVerify.mount(mux, ops)
	mountTransfers(mux, ops)
}

// reply is one line of an answer; exactly one field is set.
type reply struct {
	Progress *progressNote   `json:"progress,omitempty"`
	Refused  *RefusedLine    `json:"refused,omitempty"` // of an import
	Data     []byte          `json:"data,omitempty"`    // of an export
	Result   json.RawMessage `json:"result,omitempty"`
	Failure  *failure        `json:"failure,omitempty"`
}

type progressNote struct {
	Done  int `json:"done"`
	Total int `json:"total"`
}

// failure is an error on the wire: what it says, and which of outcomes it is.
type failure struct {
	Code     string          `json:"code"` // "": none of outcomes
	Message  string          `json:"message"`
	Problems []input.Problem `json:"problems,omitempty"`
}

func failureOf(err error) *failure {
	f := &failure{Message: err.Error()}
	if o, known := outcomeOf(err); known {
		f.Code = o.code
	}
	var invalid *input.InvalidError
	if errors.As(err, &invalid) {
		f.Problems = invalid.Problems
	}
	return f
}

// err is the error that the failure was made from, as far as anybody asks:
// the same text, the same sentinel, the same refused fields.
func (f *failure) err() error {
	if f.Problems != nil {
		return &remoteError{f.Message, &input.InvalidError{Problems: f.Problems}}
	}
	for _, o := range outcomes {
		if f.Code != "" && o.code == f.Code {
			return &remoteError{f.Message, o.err}
		}
	}
	return &remoteError{f.Message, nil}
}

type remoteError struct {
	message string
	cause   error
}

func (e *remoteError) Error() string { return e.message }
func (e *remoteError) Unwrap() error { return e.cause }

// maxRequest bounds the body of an operation, in bytes.
const maxRequest = 1 << 20

func (op operation[In, Out]) mount(mux *http.ServeMux, ops func(*http.Request) Ops) {
	mux.HandleFunc("POST /"+op.name, func(w http.ResponseWriter, r *http.Request) {
		out := &replies{w: w}
		var in In
		body := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxRequest))
		body.DisallowUnknownFields()
		if err := body.Decode(&in); err != nil {
			out.end(nil, errSkew)
			return
		}
		out.begin()
		result, err := op.run(r.Context(), ops(r), in, out.progress)
		out.end(result, err)
	})
}

// replies writes the answer to one operation.
type replies struct {
	w    http.ResponseWriter
	mu   sync.Mutex // progress may come from several goroutines
	last time.Time
}

// begin tells the client that somebody is at work, so that it can tell a slow
// operation from a server that hangs.
func (r *replies) begin() {
	r.w.WriteHeader(http.StatusOK)
	http.NewResponseController(r.w).Flush()
}

func (r *replies) progress(done, total int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if time.Since(r.last) < 100*time.Millisecond && done != total {
		return
	}
	r.last = time.Now()
	r.write(reply{Progress: &progressNote{done, total}})
}

func (r *replies) end(result any, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		r.write(reply{Failure: failureOf(err)})
		return
	}
	text, err := json.Marshal(result)
	if err != nil {
		r.write(reply{Failure: failureOf(err)})
		return
	}
	r.write(reply{Result: text})
}

// note sends one reply before the end.
func (r *replies) note(line reply) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.write(line)
}

// write sends one reply. A client that has gone away does not need it.
func (r *replies) write(line reply) error {
	if err := json.NewEncoder(r.w).Encode(line); err != nil {
		return err
	}
	return http.NewResponseController(r.w).Flush()
}
