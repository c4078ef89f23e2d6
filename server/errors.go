package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"exante/auth"
	"exante/server/dashboard"
	"exante/storage"
	"exante/storage/billing"
	"exante/storage/input"
)

// What the server finds out by itself.
var (
	errMalformed     = errors.New("malformed json") // always as *malformedError
	errMedia         = errors.New("media type is not application/json")
	errEncoding      = errors.New("content encoding is not identity")
	errFraming       = errors.New("ambiguous framing")
	errUnparsed      = errors.New("not an http request")
	errPlain         = errors.New("http without tls")
	errVersion       = errors.New("unknown http version")
	errMethod        = errors.New("method not allowed")
	errUnknownMethod = errors.New("unknown method")
	errHost          = errors.New("host is not served here")
	errNoRoute       = errors.New("no such path")
	errBodyTooLarge  = errors.New("body too large")
	errHeaderTooLong = errors.New("header too large")
	errFormMedia     = errors.New("media type is not multipart/form-data")
	errForm          = errors.New("malformed form")
	errUploads       = errors.New("too many uploads")
	errTooSlow       = errors.New("request took too long")
	errFull          = errors.New("too many connections")
	errCrowded       = errors.New("too many connections of one address")
	errExports       = errors.New("too many exports")
	errPageMedia     = errors.New("media type is not that of a form")
	errPageQuery     = errors.New("malformed query or form")
	errNoChunks      = errors.New("http version without chunks")
)

// answer is one row: an error, and what a client is told about it.
type answer struct {
	err    error
	status int
	code   string
	text   string
}

// answers lists every error that a client can be told about. The first match
// wins. An error that is missing here is ours: a 500 and a line in the log.
var answers = []answer{
	{auth.ErrNoToken, 401, "missing_authorization", "Send an API key: Authorization: Bearer <key>."},
	{auth.ErrBadHeader, 401, "invalid_authorization_header", "The Authorization header must be sent once, as: Bearer <key>."},
	{auth.ErrBadToken, 401, "invalid_api_key", "This API key is not valid."},
	{auth.ErrExpired, 401, "api_key_expired", "This API key has expired."},
	{auth.ErrRevoked, 401, "api_key_revoked", "This API key has been revoked."},
	{auth.ErrSuspended, 401, "invalid_api_key", "This API key is not valid."},
	{auth.ErrScope, 403, "insufficient_scope", "This API key lacks the scope for that."},
	{auth.ErrNetwork, 403, "ip_not_allowed", "This API key may not be used from your address."},
	{auth.ErrLimited, 429, "rate_limited", "Too many requests. Retry after the time in Retry-After."},
	{auth.ErrBusy, 503, "busy", "Too many keys are being verified. Retry after the time in Retry-After."},

	{storage.ErrNotFound, 404, "not_found", "No such record."},
	{input.ErrInvalid, 422, "invalid", "The request was refused. See details."},
	{storage.ErrExists, 409, "already_exists", "That value is taken."},
	{storage.ErrConflict, 412, "precondition_failed", "The record has changed: its ETag does not match If-Match."},
	{storage.ErrReused, 422, "idempotency_key_reused", "This Idempotency-Key was used with another body."},
	{storage.ErrInProgress, 409, "idempotency_in_progress", "A request with this Idempotency-Key is still running."},
	{billing.ErrTransition, 409, "illegal_transition", "The invoice can't move to that status. See available_actions."},
	{billing.ErrLockedFields, 409, "invoice_locked", "The invoice has been sent: those fields no longer change."},
	{billing.ErrNotDeletable, 409, "not_deletable", "Only a draft can be deleted."},
	{storage.ErrKeyNotActive, 409, "key_not_active", "Only an active API key can be rotated."},
	{storage.ErrKeyEnded, 409, onPages, "This API key has ended. It stays as it is, in the list."},
	{storage.ErrUserDisabled, 409, "key_not_active", "The user of this API key is disabled."},
	{storage.ErrTooLarge, 413, "too_large", "That is too much for one change: send less at once."},
	{storage.ErrFileTooLarge, 413, "file_too_large", "A file may have at most 25 MiB."},
	{storage.ErrTooManyFiles, 413, "too_many_files", "A request may bring at most 20 files."},
	{storage.ErrFilesTooLarge, 413, "files_too_large", "The files of a request may have at most 100 MiB in all."},
	{storage.ErrTooManyAttachments, 413, "too_many_attachments", "An invoice may have at most 100 attachments."},
	{storage.ErrAuditUnavailable, 503, "audit_unavailable", "Changes can't be recorded right now. Retry after the time in Retry-After."},
	{storage.ErrClosed, 503, "unavailable", "The server is stopping."},
	{storage.ErrLowDisk, 503, "low_disk", "The server is short of disk space: it takes no changes until its operator has freed some."},

	{errMalformed, 400, "malformed_json", "The body must be one JSON value. See details."},
	{errFraming, 400, "malformed_request", "The request could be read in two ways."},
	{errUnparsed, 400, "malformed_request", "That is not an HTTP request."},
	{errPlain, 400, "malformed_request", "This port speaks HTTPS: use https:// in the URL."},
	{errUnknownMethod, 400, "unknown_method", "That method is not known."},
	{errNoRoute, 404, "not_found", "No such path."},
	{errMethod, 405, "method_not_allowed", "That path has other methods. See Allow."},
	{errTooSlow, 408, "request_timeout", "The request took too long to arrive."},
	{errBodyTooLarge, 413, "too_large", "The body may have at most 1 MiB."},
	{errForm, 400, "malformed_form", "The body must be multipart/form-data as in RFC 7578."},
	{errFormMedia, 415, "unsupported_media_type", "Send the files as multipart/form-data."},
	{errUploads, 503, "busy", "Too many files are being received. Retry after the time in Retry-After."},
	{errMedia, 415, "unsupported_media_type", "Send the body as application/json."},
	{errEncoding, 415, "unsupported_encoding", "Send the body without Content-Encoding."},
	{errHost, 421, "misdirected_request", "This host name is not served here."},
	{errHeaderTooLong, 431, "header_too_large", "The request line and headers may have at most 8 KiB."},
	{errCrowded, 429, "too_many_connections", "Your address has too many connections open."},
	{errFull, 503, "too_many_connections", "Too many connections are open."},
	{errExports, 503, "busy", "Too many exports are under way. Retry after the time in Retry-After."},
	{errNoChunks, 505, "http_version_not_supported", "An export is sent in chunks, which takes HTTP/1.1."},
	{errVersion, 505, "http_version_not_supported", "Only HTTP/1.1 and HTTP/1.0 are spoken here."},
	{errPageMedia, 415, onPages, "A form is sent as application/x-www-form-urlencoded."},
	{errPageQuery, 400, onPages, "The address or the form can't be read."},
	{dashboard.ErrForgery, 403, onPages, "This came from another site, or from a browser that does not say from where. Nothing was changed: go to the page and try again there."},
	{dashboard.ErrRole, 403, onPages, "Your role does not allow that. An owner of your organization can change it."},
	{dashboard.ErrInsecure, 403, onPages, "Signing in takes https, or a browser on the machine itself."},
	{context.Canceled, 503, "unavailable", "The server is stopping."},
}

// onPages stands in place of a code where only pages meet the error.
const onPages = ""

var internal = answer{nil, 500, "internal", "Something went wrong on our side. Name the request_id when you report it."}

// rowOf finds the answer to err.
func rowOf(err error) answer {
	for _, row := range answers {
		if errors.Is(err, row.err) {
			return row
		}
	}
	return internal
}

// fail sends the answer to err, and logs err where it is ours. It returns nil:
// the error is dealt with. What was answered before is answered again.
func (x *exchange) fail(err error) error {
	err = translated(err)
	var replay *storage.ReplayError
	if errors.As(err, &replay) {
		return x.replay(&replay.Answer)
	}
	row := rowOf(err)
	if row.status == internal.status {
		x.log.LogAttrs(x.life, slog.LevelError, "internal error",
			slog.String("request_id", string(x.id)), slog.String("error", err.Error()))
	}
	x.writeHints(row, err)
	if x.forPeople() {
		return x.failPage(row, err)
	}
	w := x.newWriter()
	defer x.free(w)
	w.failure(row, err, string(x.id))
	return x.sendCopy(row.status, w.buf)
}

// lowDiskRetry is when to try again after a 503 low_disk: somebody has to free space.
const lowDiskRetry = 10 * time.Second

// failure writes the error object: the row, and what a typed error adds to it.
func (w *jsonWriter) failure(row answer, err error, requestID string) {
	w.open('{')
	w.text("error", row.text)
	w.text("code", row.code)
	w.texts("details", details(err))
	w.text("request_id", requestID)
	var transition *billing.TransitionError
	if errors.As(err, &transition) {
		w.texts("available_actions", transition.Actions)
	}
	w.close('}')
}

// details are what a typed error adds to its row, one string each.
func details(err error) []string {
	var (
		invalid    *input.InvalidError
		missing    *storage.MissingError
		batch      *storage.BatchError
		exists     *storage.ExistsError
		locked     *billing.LockedError
		transition *billing.TransitionError
		scope      *auth.ScopeError
		malformed  *malformedError
	)
	var list []string
	switch {
	case errors.As(err, &batch):
		list = elementDetails(batch)
	case errors.As(err, &invalid):
		list = texts(invalid.Problems)
	case errors.As(err, &missing):
		list = texts(missing.Problems)
	case errors.As(err, &exists):
		list = []string{exists.Field + ": is taken"}
	case errors.As(err, &locked):
		for _, field := range locked.Fields {
			list = append(list, field+": no longer changes")
		}
	case errors.As(err, &transition):
		list = []string{fmt.Sprintf("status: %s can't become %s", transition.From, transition.To)}
	case errors.Is(err, billing.ErrNotDeletable):
		list = []string{"status: is not DRAFT"}
	case errors.As(err, &scope) && scope.Detail != "":
		list = []string{scope.Detail}
	case errors.As(err, &malformed):
		list = []string{"body: " + malformed.reason}
	}
	return list
}

func texts(problems []input.Problem) []string {
	list := make([]string, 0, len(problems))
	for _, p := range problems[:min(len(problems), maxProblems)] {
		list = append(list, p.String())
	}
	return list
}

// writeHints adds the header fields that go with a refusal.
func (x *exchange) writeHints(row answer, err error) {
	h := &x.http.Response.Header
	var (
		limited *auth.LimitError
		busy    *auth.BusyError
		scope   *auth.ScopeError
	)
	switch {
	case errors.Is(err, auth.ErrNoToken):
		h.SetCanonical(headerAuthenticate, []byte(`Bearer realm="exante"`))
	case row.status == fasthttp.StatusUnauthorized:
		h.SetCanonical(headerAuthenticate, []byte(`Bearer realm="exante", error="invalid_token"`))
	case errors.As(err, &scope):
		h.SetCanonical(headerAuthenticate, fmt.Appendf(nil, `Bearer error="insufficient_scope", scope="%s"`, scope.Need))
	case errors.As(err, &limited):
		x.retryAfter(limited.RetryAfter)
	case errors.As(err, &busy):
		x.retryAfter(busy.RetryAfter)
	case errors.Is(err, storage.ErrLowDisk):
		x.retryAfter(lowDiskRetry)
	case row.status == fasthttp.StatusServiceUnavailable, errors.Is(err, storage.ErrInProgress):
		x.retryAfter(time.Second)
	}
}

// translated turns what Fiber reports into an error of the table.
func translated(err error) error {
	var f *fiber.Error
	if !errors.As(err, &f) {
		return err
	}
	switch f.Code {
	case fasthttp.StatusNotFound:
		return errNoRoute
	case fasthttp.StatusMethodNotAllowed:
		return errMethod
	}
	return err
}

// unparsed sorts the errors of reading a request by their types, never by their
// texts, which quote the request.
func unparsed(err error) error {
	var (
		small   *fasthttp.ErrSmallBuffer
		network net.Error
	)
	switch {
	case errors.As(err, &small):
		return errHeaderTooLong
	case errors.Is(err, fasthttp.ErrBodyTooLarge):
		return errBodyTooLarge
	case errors.Is(err, fasthttp.ErrTimeout), errors.As(err, &network) && network.Timeout():
		return errTooSlow
	}
	return errUnparsed
}
