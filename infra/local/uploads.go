package local

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"regulars/functions/importer"
	"regulars/functions/imports"
	"regulars/shared/loyalty"
	"regulars/shared/table"
)

// uploads are the files of imports, in a folder for each program: what the
// bucket is in the cloud.
type uploads struct {
	dir string
	key []byte // signs the addresses, as S3 does
}

const (
	maxUpload  = 4 << 30        // bytes
	uploadLife = 24 * time.Hour // of an address
)

func openUploads(dir string) (*uploads, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "key")
	key, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		key = []byte(rand.Text())
		err = os.WriteFile(file, key, 0o600)
	}
	return &uploads{dir, key}, err
}

func (u *uploads) path(name string) string { return filepath.Join(u.dir, filepath.FromSlash(name)) }

func (u *uploads) token(name, expires string) string {
	mac := hmac.New(sha256.New, u.key)
	fmt.Fprintf(mac, "PUT %s %s", name, expires)
	return hex.EncodeToString(mac.Sum(nil))
}

// address is where the file of a name is sent.
func (u *uploads) address(r *http.Request, name string) (imports.Upload, error) {
	until := time.Now().Add(uploadLife).UTC().Truncate(time.Second)
	expires := strconv.FormatInt(until.Unix(), 10)
	q := url.Values{"expires": {expires}, "token": {u.token(name, expires)}}
	return imports.Upload{URL: "http://" + r.Host + "/_local/uploads/" + name + "?" + q.Encode(), Method: http.MethodPut, ExpiresAt: until}, nil
}

// take keeps a file that is sent to an address of ours. It is there as a whole
// or not at all; sent again it takes the place of the one before.
func (u *uploads) take(w http.ResponseWriter, r *http.Request) (name string, err error) {
	name = r.PathValue("program") + "/" + r.PathValue("id")
	expires := r.URL.Query().Get("expires")
	until, err := strconv.ParseInt(expires, 10, 64)
	if err != nil || !hmac.Equal([]byte(r.URL.Query().Get("token")), []byte(u.token(name, expires))) || time.Now().Unix() >= until {
		return name, &loyalty.Error{Kind: loyalty.Forbidden, Code: "forbidden", Detail: "this is not an address that POST /v1/imports gave, or its time is over"}
	}
	if err := http.NewResponseController(w).SetReadDeadline(time.Time{}); err != nil && !errors.Is(err, http.ErrNotSupported) { // a large file takes longer than a request
		return name, err
	}
	if err := os.MkdirAll(filepath.Dir(u.path(name)), 0o700); err != nil {
		return name, err
	}
	f, err := os.CreateTemp(u.dir, "part")
	if err != nil {
		return name, err
	}
	defer os.Remove(f.Name())
	_, err = io.Copy(f, http.MaxBytesReader(w, r.Body, maxUpload))
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return name, err
	}
	return name, os.Rename(f.Name(), u.path(name))
}

// Open implements importer.Files.
func (u *uploads) Open(_ context.Context, name string, from int64) (*importer.File, error) {
	f, err := os.Open(u.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, importer.ErrNoFile
	}
	if err != nil {
		return nil, err
	}
	is, err := f.Stat()
	if err == nil {
		_, err = f.Seek(from, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &importer.File{ReadCloser: f, Tag: fmt.Sprint(is.Size(), "-", is.ModTime().UnixNano()), Size: is.Size()}, nil
}

// upload takes a file, and begins to work on it.
func (h *Host) upload(w http.ResponseWriter, r *http.Request) {
	name, err := h.uploads.take(w, r)
	var refused *loyalty.Error
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &refused):
		fail(w, http.StatusForbidden, err)
	case errors.As(err, &large):
		fail(w, http.StatusRequestEntityTooLarge, err)
	case err != nil:
		fail(w, http.StatusInternalServerError, err)
	default:
		h.imports(importer.Event{File: name})
		show(w, http.StatusOK, map[string]any{"uploaded": name})
	}
}

// imports works on imports beside the requests, until the host is closed.
func (h *Host) imports(e importer.Event) {
	h.working.Go(func() {
		if _, err := h.importer.Run(h.life, e); err != nil && h.life.Err() == nil {
			slog.Error("import cut off; it goes on with the schedule", "error", err)
		}
		if err := h.sweep(e.File); err != nil && h.life.Err() == nil {
			slog.Error("file of an import not removed", "error", err)
		}
	})
}

// resume goes on with the files that are there.
func (h *Host) resume() error {
	files, err := filepath.Glob(h.uploads.path("*/*"))
	for _, f := range files {
		h.imports(importer.Event{File: filepath.Base(filepath.Dir(f)) + "/" + filepath.Base(f)})
	}
	return err
}

// sweep removes the file of an import that is over.
func (h *Host) sweep(name string) error {
	program, id, _ := strings.Cut(name, "/")
	return h.store.View(h.life, program, func(tx *table.Tx) error {
		j, err := tx.Import(id)
		if err != nil || j.Open() {
			return err
		}
		return os.Remove(h.uploads.path(name))
	})
}
