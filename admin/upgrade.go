package admin

import (
	"fmt"
	"io"
	"log/slog"
	"path/filepath"

	"exante/admin/config"
	"exante/admin/sealed"
	"exante/storage"
)

// beforeMigration writes a backup of a store that this program is about to bring up to
// date, after which the one that wrote it can't open it. It is marked and encrypted as
// c has it for all backups, and no schedule removes it.
func beforeMigration(c *config.Config, log *slog.Logger) func(storage.Migration) error {
	return func(m storage.Migration) error {
		key, err := macKey(c)
		if err != nil {
			return err
		}
		to, err := sealed.Recipients(c.Backup.AgeRecipients)
		if err != nil {
			return err
		}
		path := migrationBackup(c, m)
		// What has the same name is of the same sequence: an attempt that went no further.
		err = writeWhole(path, true, func(out io.Writer) error {
			return sealFor(out, to, func(plain io.Writer) error {
				return m.Backup(plain, storage.BackupOptions{MACKey: key, Program: buildVersion().Version})
			})
		})
		if err != nil {
			return fmt.Errorf("write %s: %w", path, err)
		}
		log.Warn("the store is brought up to date: an older exante can't open it any more, but can restore its backup",
			"backup", path, "from_schema", m.From, "to_schema", m.To)
		return nil
	}
}

// migrationBackup is the path of that backup: in the directory of backups if there is
// one, else beside the data directory.
func migrationBackup(c *config.Config, m storage.Migration) string {
	data := filepath.Clean(c.Storage.Dir)
	dir := c.Backup.Dir
	if dir == "" {
		dir = filepath.Dir(data)
	}
	name := fmt.Sprintf("%s.before-schema-%d.%d.backup", filepath.Base(data), m.To, m.Sequence)
	if len(c.Backup.AgeRecipients) > 0 {
		name += ".age"
	}
	return filepath.Join(dir, name)
}
