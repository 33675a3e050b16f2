package journal

import "errors"

// writer seals lines and puts them on the disk. One goroutine uses it.
type writer struct {
	disk disk
	sum  tally

	prev link // the last line of buf, or that is written
	seq  int
	told int // what the lines say that the disk has
	safe int // what the disk has

	buf     []byte // sealed and not written
	size    int64  // of what is written whole
	written struct {
		prev link
		seq  int
	}
}

func (w *writer) add(object []byte, seq int) {
	if len(w.buf) == 0 {
		w.written.prev, w.written.seq = w.prev, w.seq
	}
	synced := 0
	if w.safe > w.told {
		synced, w.told = w.safe, w.safe
	}
	w.buf, w.prev = seal(w.buf, object, w.prev, synced)
	w.seq = seq
}

// out writes the lines. After an error nothing of them is in the file, and it can be tried again.
func (w *writer) out() error {
	if len(w.buf) == 0 {
		return nil
	}
	if n, err := w.disk.Write(w.buf); err != nil || n < len(w.buf) {
		if err == nil {
			err = errors.New("it was not written whole")
		}
		return errors.Join(err, w.disk.Truncate(w.size))
	}
	w.size += int64(len(w.buf))
	w.buf = w.buf[:0]
	return nil
}

// drop forgets lines that could not be written: the next one continues the chain where the file ends.
func (w *writer) drop() {
	if len(w.buf) > 0 {
		w.buf, w.prev, w.seq = w.buf[:0], w.written.prev, w.written.seq
	}
}

func (w *writer) sync() error {
	if err := w.disk.Flush(); err != nil {
		return err
	}
	w.safe = w.seq
	return nil
}
