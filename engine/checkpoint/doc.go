// Package checkpoint keeps the finished tiles of a run in a folder, so that a run
// that was stopped, even by kill -9 or a power cut, goes on where it was. It
// implements [engine.Checkpoint]; it does not know what a run explains, only by
// which facts one run is told from another.
//
// The folder holds
//
//	run.json           the facts (an [Identity]), for people too
//	tile-00000037.bin  what the model gave for tile 37, one file a tile
//	lock               held by the process that uses the folder
//
// and docs/format/checkpoint.md says what is in them. Files are written under
// another name, flushed to the disk and renamed, so that each is there whole or
// not at all; a tile that is damaged all the same is found by its SHA-256 and is
// an error, never used and never deleted. Files that are not ours are left alone.
//
// Reading order: [Open], [Folder], [Identity]; then tile.go for the bytes.
package checkpoint
