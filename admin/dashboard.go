package admin

import (
	"context"
	"net"
	"time"

	"exante/admin/config"
	"exante/auth"
	"exante/storage"
)

// dashboardURL is where a browser on this machine finds the dashboard: at
// server.public_url, else where the server listens; api is that, nil if it is
// stopped. A link to it is for people, so it names localhost rather than a wildcard.
// Without a dashboard, or while its port is not known, it is a config.Error.
func dashboardURL(c *config.Config, api net.Addr) (string, error) {
	if !c.Dashboard.Enabled {
		return "", &config.Error{Key: "dashboard.enabled", Reason: "is false: nobody can sign in, so there is nothing to set up"}
	}
	if c.Server.PublicURL != "" {
		return c.Server.PublicURL, nil
	}
	address := c.Server.Listen
	if api != nil {
		address = api.String()
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", &config.Error{Key: "server.listen", Reason: err.Error()}
	}
	if port == "0" {
		return "", &config.Error{Key: "server.listen", Reason: "takes a free port, which is known once the server runs: start it first, or set server.public_url"}
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	scheme := "http://"
	if c.Server.TLSCert != "" {
		scheme = "https://"
	}
	return scheme + net.JoinHostPort(host, port), nil
}

// setupURL is the link with which a user chooses his password in the dashboard at base.
func setupURL(base string, token auth.SetupToken) secret {
	return secret{base + "/setup/" + token.Reveal()}
}

// NewUser is a user with a link with which he chooses his password, once; it is shown
// this once. Both fields of it are null where there is no dashboard to choose it in.
type NewUser struct {
	User
	SetupURL       *secret `json:"setup_url"`
	SetupExpiresAt *string `json:"setup_expires_at"`
}

func newUserShape(u storage.User, base string, token auth.SetupToken, ends time.Time) NewUser {
	link := setupURL(base, token)
	return NewUser{userShape(u), &link, whenever(ends)}
}

// CreateUser implements Ops.
func (l Local) CreateUser(ctx context.Context, in UserRequest) (NewUser, error) {
	org, err := l.oneOrg(ctx, in.Org)
	if err != nil {
		return NewUser{}, err
	}
	draft := storage.UserDraft{Email: in.Email, Name: in.Name, Role: storage.Role(in.Role)}
	base, err := dashboardURL(&l.config, l.api)
	if err != nil { // he can be given a password all the same
		user, err := l.store.CreateUser(ctx, l.by.In(org), draft)
		return NewUser{User: userShape(user)}, err
	}
	user, token, ends, err := l.store.InviteUser(ctx, l.by.In(org), draft)
	if err != nil {
		return NewUser{}, err
	}
	return newUserShape(user, base, token, ends), nil
}

// LinkUser implements Ops.
func (l Local) LinkUser(ctx context.Context, in UserRef) (NewUser, error) {
	base, err := dashboardURL(&l.config, l.api)
	if err != nil {
		return NewUser{}, err
	}
	var token auth.SetupToken
	var ends time.Time
	user, err := l.findUser(ctx, in.User)
	if err == nil {
		token, ends, err = l.store.MintSetup(ctx, l.by.In(user.OrgID), user.ID)
	}
	if err != nil {
		return NewUser{}, err
	}
	return newUserShape(user, base, token, ends), nil
}

// welcome tells the operator of a setup link while nobody of the instance has a
// password: that of the owner of its first organization. A restart tells of another.
// It is told and not logged, for whoever has it gets in.
func (in ServeInput) welcome(ctx context.Context, store *storage.Store, addr net.Addr) error {
	if !in.Config.Dashboard.Enabled {
		return nil
	}
	if any, err := store.AnyPassword(ctx); any || err != nil {
		return err
	}
	orgs, err := store.Orgs(ctx)
	if err != nil || len(orgs) == 0 {
		return err
	}
	owner, err := store.OwnerOf(ctx, orgs[0].ID)
	if err != nil {
		return err
	}
	base, err := dashboardURL(&in.Config, addr)
	if err != nil {
		return err
	}
	token, ends, err := store.MintSetup(ctx, auth.System(owner.OrgID), owner.ID)
	if err != nil {
		return err
	}
	if in.demo != nil {
		in.shell.tell("dashboard: %s", setupURL(base, token).Reveal())
		return nil
	}
	in.shell.tell("nobody can sign in yet: the owner of %s chooses a password with this link, once, until %s:\n%s",
		printable(orgs[0].Name), instant(ends), setupURL(base, token).Reveal())
	return nil
}
