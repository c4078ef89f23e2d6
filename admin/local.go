package admin

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"exante/admin/config"
	"exante/auth"
	"exante/auth/uid"
	"exante/storage"
	"exante/storage/billing"
)

// Desk is one open store as operators use it. It does not own the store.
type Desk struct {
	store    *storage.Store
	config   config.Config
	wire     Wire
	now      func() time.Time
	firstOrg sync.Mutex // held while a store without organizations gets one

	flush func(context.Context) error // writes what is in memory alone
}

// NewDesk returns the desk of a store that was opened with c. wire reads and writes
// invoices. A nil now means time.Now.
func NewDesk(store *storage.Store, c config.Config, wire Wire, now func() time.Time) *Desk {
	if now == nil {
		now = time.Now
	}
	return &Desk{
		store: store, config: c, wire: wire, now: now,
		flush: func(context.Context) error { return nil },
	}
}

// Flushing is the desk of a store to which flush writes what others keep of it in
// memory: a backup begins with that.
func (d *Desk) Flushing(flush func(context.Context) error) *Desk {
	d.flush = flush
	return d
}

// As is what the Unix user localUID may ask; his uid goes into the audit log.
func (d *Desk) As(localUID int) Local {
	return Local{Desk: d, by: auth.Principal{Shell: true, LocalUID: localUID}}
}

// Local is Ops on an open store, for one operator.
type Local struct {
	*Desk
	by  auth.Principal
	api net.Addr // where the server listens that has the store; nil: there is none
}

var _ Ops = Local{}

// CreateOrg implements Ops.
func (l Local) CreateOrg(ctx context.Context, in OrgRequest) (Organization, error) {
	org, _, err := l.store.CreateOrg(ctx, l.by, storage.OrgDraft{Name: in.Name, OwnerEmail: in.OwnerEmail})
	if err != nil {
		return Organization{}, err
	}
	return orgShape(org), nil
}

// Orgs implements Ops.
func (l Local) Orgs(ctx context.Context) ([]Organization, error) {
	orgs, err := l.store.Orgs(ctx)
	if err != nil {
		return nil, err
	}
	shapes := make([]Organization, len(orgs))
	for i, o := range orgs {
		shapes[i] = orgShape(o)
	}
	return shapes, nil
}

// SetOrg implements Ops.
func (l Local) SetOrg(ctx context.Context, in OrgChange) (Organization, error) {
	id, err := l.oneOrg(ctx, in.Org)
	if err != nil {
		return Organization{}, err
	}
	patch := storage.OrgPatch{Name: in.Name}
	if in.Currency != nil {
		patch.Currency = new(billing.Currency(strings.ToUpper(*in.Currency)))
	}
	org, err := l.store.UpdateOrg(ctx, l.by.In(id), patch, 0)
	if err != nil {
		return Organization{}, fmt.Errorf("change organization %s: %w", id, err)
	}
	return orgShape(org), nil
}

// Users implements Ops.
func (l Local) Users(ctx context.Context, in OrgRef) ([]User, error) {
	orgs, err := l.orgs(ctx, in.Org)
	if err != nil {
		return nil, err
	}
	shapes := []User{}
	for _, org := range orgs {
		users, err := l.store.Users(ctx, org)
		if err != nil {
			return nil, err
		}
		for _, u := range users {
			shapes = append(shapes, userShape(u))
		}
	}
	return shapes, nil
}

// Verify implements Ops.
func (l Local) Verify(ctx context.Context, progress Progress) (VerifyReport, error) {
	report, err := l.store.Verify(ctx, progress)
	if err != nil {
		return VerifyReport{}, err
	}
	return findingsOf(report), nil
}

func findingsOf(r storage.Report) VerifyReport {
	return VerifyReport{Records: r.Records, Findings: findingShapes(r.Findings)}
}

// orgs are the organization that is named, or all.
func (l Local) orgs(ctx context.Context, name string) ([]uid.ID, error) {
	if name != "" {
		id, err := l.namedOrg(ctx, name)
		return []uid.ID{id}, err
	}
	orgs, err := l.store.Orgs(ctx)
	ids := make([]uid.ID, len(orgs))
	for i, o := range orgs {
		ids[i] = o.ID
	}
	return ids, err
}

// oneOrg is the organization that is named, or the only one.
func (l Local) oneOrg(ctx context.Context, name string) (uid.ID, error) {
	ids, err := l.orgs(ctx, name)
	switch {
	case err != nil:
		return uid.ID{}, err
	case len(ids) == 0:
		return uid.ID{}, errNoOrg
	case len(ids) > 1:
		return uid.ID{}, errWhichOrg
	}
	return ids[0], nil
}

func (l Local) namedOrg(ctx context.Context, name string) (uid.ID, error) {
	id, err := uid.Parse(name)
	if err != nil {
		return uid.ID{}, fmt.Errorf("organization %q: %w", name, storage.ErrNotFound)
	}
	if _, err := l.store.Org(ctx, id); err != nil {
		return uid.ID{}, fmt.Errorf("organization %s: %w", name, err)
	}
	return id, nil
}

// defaultOrg is what a store's first organization is called.
const defaultOrg = "Default organization"

// ensureOrg is oneOrg, but makes the default organization where there is none.
func (l Local) ensureOrg(ctx context.Context, name string) (uid.ID, error) {
	l.firstOrg.Lock()
	defer l.firstOrg.Unlock()
	id, err := l.oneOrg(ctx, name)
	if !errors.Is(err, errNoOrg) {
		return id, err
	}
	org, _, err := l.store.CreateOrg(ctx, l.by, storage.OrgDraft{Name: defaultOrg})
	return org.ID, err
}
