package static

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"path"
)

// Set is the files of some pages, by their base names, under a version that is made
// of their content: what has been asked for under a version never changes.
type Set struct {
	Version string // 16 hexadecimal digits

	files map[string]*File
}

// NewSet reads what is embedded.
func NewSet(in embed.FS) (*Set, error) {
	s := &Set{files: map[string]*File{}}
	all := sha256.New()
	err := fs.WalkDir(in, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := in.ReadFile(name)
		all.Write(body)
		s.files[path.Base(name)] = New(mediaTypes[path.Ext(name)], body)
		return err
	})
	s.Version = hex.EncodeToString(all.Sum(nil)[:8])
	return s, err
}

var mediaTypes = map[string]string{
	".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml",
}

// File is the file with that name, under the version that pages name. nil: there is none.
func (s *Set) File(version, name string) *File {
	if version != s.Version {
		return nil
	}
	return s.files[name]
}
