package main

import (
	"context"
	"os"
	"path/filepath"

	"rapport/internal/studio/picture"
)

// library returns the pictures of a data directory.
func (d *directory) library() *picture.Library {
	return picture.Open(filepath.Join(d.dir, picture.Folder))
}

// takePictures brings the pictures of a folder of definitions into the library,
// before the definitions that show them come into force.
func (d *directory) takePictures(ctx context.Context, folder string) error {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return err
	}
	defer root.Close()
	return d.library().Import(ctx, root.FS())
}
