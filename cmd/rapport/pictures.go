package main

import (
	"context"
	"maps"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"rapport/internal/fault"
	"rapport/internal/program"
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

// holdPictures brings the pictures of a folder of definitions into the library, and
// fails if the definitions show one that is neither there nor in the folder.
func (d *directory) holdPictures(ctx context.Context, src *program.Source, folder string) error {
	if err := d.takePictures(ctx, folder); err != nil {
		return err
	}
	names, err := d.library().Lacks(src.Pictures())
	if err == nil && len(names) > 0 {
		err = fault.New(fault.Invalid, "the folder has only the names of these pictures, and the data directory does not hold them: "+strings.Join(names, ", "))
	}
	return err
}

// sendPictures gives a server the pictures of a folder of definitions. What stands
// for a picture only, the server must hold already; it says so if it does not.
func sendPictures(ctx context.Context, server *remote, src *program.Source, folder string) error {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return err
	}
	defer root.Close()
	for _, name := range slices.Sorted(maps.Keys(src.Pictures())) {
		body, err := picture.Read(root.FS(), path.Join(picture.Folder, name))
		if err != nil {
			return err
		}
		if _, stands := picture.ParseInfo(string(body)); stands {
			continue
		}
		var taken struct{}
		if err := server.send(ctx, http.MethodPost, "pictures", "application/octet-stream", body, &taken); err != nil {
			return err
		}
	}
	return nil
}
