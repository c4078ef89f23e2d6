package auth

// rehash is a key whose stored hash is weaker than today's, and the token that
// has just matched it: the only moment at which a better hash can be made.
type rehash struct {
	live  *liveKey
	token Token
}

// upgrade queues a re-hash. When many are queued already it is left for the
// next time that the token is verified in full.
func (b *bookkeeper) upgrade(live *liveKey, t Token) {
	select {
	case b.upgrades <- rehash{live, t}:
	default:
	}
}

func (b *bookkeeper) rehash() {
	for {
		select {
		case <-b.quit:
			return
		case job := <-b.upgrades:
			k := job.live.record.Load()
			if !b.auth.hasher.Outdated(k.Hash) {
				continue
			}
			if err := b.replace(k, job); err != nil {
				b.log.Warn("the hash of an API key was not upgraded: the next full verification tries again",
					"key", k.ID.String(), "error", err)
			}
		}
	}
}

// replace stores a hash of today's strength, if the record is still that of k.
func (b *bookkeeper) replace(k *Key, job rehash) error {
	hash, err := b.auth.hasher.Hash(b.life, job.token)
	if err != nil {
		return err
	}
	if err := b.ledger.UpgradeHash(b.life, k.ID, k.Version, hash); err != nil {
		return err
	}
	b.auth.verified.remember(job.token.digest(), job.live, hash)
	return nil
}
