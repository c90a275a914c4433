//! Python's file objects as readers and writers.

use std::io::{self, ErrorKind, Read, Write};

use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// Anything with a `read` method, from where it stands.
pub(crate) struct Reader<'py>(pub(crate) Bound<'py, PyAny>);

impl Read for Reader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.py().check_signals()?;
        let bytes = self.0.call_method1("read", (buffer.len(),))?;
        // Nothing is there yet, says a file that does not wait.
        if bytes.is_none() {
            return Err(ErrorKind::WouldBlock.into());
        }
        let bytes: &[u8] = bytes.extract().map_err(PyErr::from)?;
        let taken = buffer.get_mut(..bytes.len());
        let taken =
            taken.ok_or_else(|| io::Error::other("read() returned more than was asked for"))?;
        taken.copy_from_slice(bytes);
        Ok(bytes.len())
    }
}

/// Anything with a `write` method.
pub(crate) struct Writer<'py>(pub(crate) Bound<'py, PyAny>);

impl Write for Writer<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let py = self.0.py();
        py.check_signals()?;
        let written = self.0.call_method1("write", (PyBytes::new(py, bytes),))?;
        // Many writers return nothing, and have written everything.
        match written.extract::<Option<usize>>() {
            Ok(Some(written)) => Ok(written.min(bytes.len())),
            _ => Ok(bytes.len()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
