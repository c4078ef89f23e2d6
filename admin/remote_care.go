package admin

import "context"

// DisableUser implements Ops.
func (r Remote) DisableUser(ctx context.Context, in UserRef) (User, error) {
	return opDisableUser.call(ctx, r, in, nil)
}

// EnableUser implements Ops.
func (r Remote) EnableUser(ctx context.Context, in UserRef) (User, error) {
	return opEnableUser.call(ctx, r, in, nil)
}

// SetRole implements Ops.
func (r Remote) SetRole(ctx context.Context, in RoleRequest) (User, error) {
	return opSetRole.call(ctx, r, in, nil)
}

// SetPassword implements Ops.
func (r Remote) SetPassword(ctx context.Context, in PasswordRequest) (User, error) {
	return opSetPassword.call(ctx, r, in, nil)
}

// LinkUser implements Ops.
func (r Remote) LinkUser(ctx context.Context, in UserRef) (NewUser, error) {
	return opLinkUser.call(ctx, r, in, nil)
}

// Sessions implements Ops.
func (r Remote) Sessions(ctx context.Context, in SessionsRef) ([]Session, error) {
	return opSessions.call(ctx, r, in, nil)
}

// EndSession implements Ops.
func (r Remote) EndSession(ctx context.Context, in SessionRef) (Session, error) {
	return opEndSession.call(ctx, r, in, nil)
}

// EndSessions implements Ops.
func (r Remote) EndSessions(ctx context.Context, in UserRef) ([]Session, error) {
	return opEndSessions.call(ctx, r, in, nil)
}

// SetKey implements Ops.
func (r Remote) SetKey(ctx context.Context, in KeyChange) (APIKey, error) {
	return opSetKey.call(ctx, r, in, nil)
}

// IdentifyKeys implements Ops.
func (r Remote) IdentifyKeys(ctx context.Context, in IdentifyRequest) ([]IdentifiedKey, error) {
	return opIdentifyKeys.call(ctx, r, in, nil)
}

// Invoice implements Ops.
func (r Remote) Invoice(ctx context.Context, in InvoiceRef) (InvoiceAnswer, error) {
	return opInvoice.call(ctx, r, in, nil)
}

// SendInvoice implements Ops.
func (r Remote) SendInvoice(ctx context.Context, in InvoiceRef) (InvoiceAnswer, error) {
	return opSendInvoice.call(ctx, r, in, nil)
}

// VoidInvoice implements Ops.
func (r Remote) VoidInvoice(ctx context.Context, in InvoiceRef) (InvoiceAnswer, error) {
	return opVoidInvoice.call(ctx, r, in, nil)
}

// PayInvoice implements Ops.
func (r Remote) PayInvoice(ctx context.Context, in PayRequest) (InvoiceAnswer, error) {
	return opPayInvoice.call(ctx, r, in, nil)
}
