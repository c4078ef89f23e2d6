package storage

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage/kv"
)

// A store is opened in two steps. First it is judged: what its files hold is read
// and held against all that says what they should hold. Nothing is changed until
// then, and a store that is refused is left as it was found. Then it is started:
// made, brought up to date, and followed by what guards it.

// opening is what is learned on the way.
type opening struct {
	name   uid.ID // of the directory; zero: it has none yet
	marker markerRecord
	fresh  bool // there is no store yet
	loaded bool // memory holds what the database does
}

// judge decides whether the database r at sequence seq is the one that belongs here.
func (s *Store) judge(o *opening, seq uint64, r kv.Reader) (err error) {
	if o.marker, o.fresh, err = s.identify(r, o.name); err != nil || o.fresh {
		return err
	}
	s.id = o.marker.ID
	if err := s.loadSigningKey(r); errors.Is(err, ErrNotFound) {
		if o.marker.Schema >= 3 {
			return missing(err, "record", keySigningKey())
		}
	} else if err != nil {
		return err
	}
	before, err := s.anchorOf(o)
	if err == nil && before != nil {
		err = before.reached(seq)
	}
	if err != nil {
		return err
	}
	if o.marker.Schema == schemaVersion {
		if err := s.load(r); err != nil {
			return err
		}
		o.loaded = true
	}
	if err := s.agrees(before, o, seq, r); err != nil {
		return err
	}
	switch {
	case s.options.accept == nil && !o.loaded:
		return s.beforeMigration(o.marker.Schema, r)
	case s.options.accept == nil:
		return nil
	case !o.loaded:
		return fmt.Errorf("the store is of schema %d: open it once, to bring it up to date", o.marker.Schema)
	}
	return s.options.accept.judge(s, r)
}

// anchorOf is the anchor that the database must hold; nil if nothing is asked of it.
func (s *Store) anchorOf(o *opening) (*anchor, error) {
	if s.options.trusting() {
		return nil, nil
	}
	if err := checkDamage(s.options.Dir); err != nil {
		return nil, err
	}
	if s.signing.IsZero() {
		return nil, nil // older than anchors
	}
	a, err := readAnchor(s.options.Dir, s.id, s.signing)
	if a == nil && err == nil && o.marker.Schema >= 3 && !o.name.IsZero() {
		return nil, fmt.Errorf("%w: %s is missing, which says how far the database had come%s", ErrCorrupt, anchorFile, acceptHint)
	}
	return a, err
}

// agrees holds the database against its anchor and its audit copy.
func (s *Store) agrees(before *anchor, o *opening, seq uint64, r kv.Reader) error {
	if before != nil {
		if err := before.holds(r); err != nil {
			return err
		}
	}
	if before != nil && o.loaded {
		now, err := s.standing(r, seq, s.keyring.Len())
		if err != nil {
			return err
		}
		if err := before.agrees(now); err != nil {
			return err
		}
		if before.Seq == seq {
			s.anchored.Store(seq) // a command that only reads writes nothing
		}
	}
	switch {
	case s.options.AuditCopy == "":
		s.superseded = s.options.superseded
		return nil
	case s.options.trusting():
		var err error
		s.superseded, err = supersededIn(r, s.options.AuditCopy)
		return err
	}
	_, err := compareCopy(r, s.options.AuditCopy)
	if err = damagedCopy(err, s.options.AuditCopy); errors.Is(err, ErrCorrupt) {
		return err
	}
	return nil // what keeps it from being read keeps it from being written, and will show
}

// trusting reports whether the store is taken as it is.
func (o *Options) trusting() bool { return o.Unanchored || o.Restored || o.accept != nil }

// start makes the store if there is none, brings it up to date, and begins to
// follow it.
func (s *Store) start(o *opening) error {
	ctx := context.Background()
	if o.fresh {
		if err := s.create(ctx); err != nil {
			return fmt.Errorf("create store: %w", err)
		}
	} else if err := s.migrate(ctx, o.marker); err != nil {
		return err
	}
	if !o.loaded {
		if err := s.db.View(ctx, s.load); err != nil {
			return err
		}
	}
	if err := s.branch(ctx); err != nil {
		return err
	}
	if err := s.writeAnchor(); err != nil {
		return err
	}
	if err := forgetDamage(s.options.Dir); err != nil {
		return err
	}
	if o.name.IsZero() {
		if err := s.finish(s.id); err != nil {
			return err
		}
	}
	found, err := s.findLoose(ctx)
	if err != nil {
		return err
	}
	if len(found) > 0 {
		s.sweeper.wake() // left behind by the last process
	}
	if s.options.AuditCopy != "" {
		s.copy = newCopier(s, s.options.AuditCopy, o.fresh)
	}
	s.mooring = newMooring(s.writeAnchor, s.options.Log)
	return nil
}

// create makes the database a store: a marker, empty totals, a signing key, and the
// first record of the audit chain.
func (s *Store) create(ctx context.Context) (err error) {
	if s.id, err = s.ids.New(); err != nil {
		return err
	}
	if s.signing, err = auth.MintSigningKey(s.options.Rand); err != nil {
		return err
	}
	return s.update(ctx, auth.System(uid.ID{}), func(t *tx) error {
		return errors.Join(
			insert(t, keyMarker(), famMarker, &markerRecord{ID: s.id, Schema: schemaVersion, CreatedAt: stampOf(t.now)}),
			insert(t, keyTotals(), famTotals, &totalsRecord{}),
			t.insertSigningKey(),
			t.audit(storeCreate, s.id, nil),
		)
	})
}

// branch writes the record with which a store that is taken as it is goes on from
// where it is. What the audit copy has beyond that is superseded.
func (s *Store) branch(ctx context.Context) error {
	action, detail, by := storeRestore, Detail{}, auth.System(uid.ID{})
	switch accept := s.options.accept; {
	case accept != nil:
		action, detail, by = storeAccept, Detail{"anchor": accept.said}, accept.By
	case !s.options.Restored:
		return nil
	}
	maps.Copy(detail, s.superseded)
	return s.update(ctx, by, func(t *tx) error { return t.audit(action, s.id, detail) })
}
