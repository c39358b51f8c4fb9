//! Which pictures there are: class names, and for each sample its class, its file and the file's size.

use crate::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use xxhash_rust::xxh3::Xxh3;

/// The samples of one split. Immutable; its order is part of every promise of reproducibility.
///
/// Sample `i` is the file `root/CLASS/REST`. Only `REST` is kept for each sample, all of them in one string, so
/// a sample costs the length of its file name and ten bytes: about 30 bytes for ImageNet's names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    root: PathBuf,
    class_names: Arc<[String]>,
    /// All `REST`s one after the other.
    names: String,
    /// Where each `REST` ends in `names`.
    ends: Vec<u32>,
    classes: Vec<u16>,
    /// File sizes in bytes, `u32::MAX` for anything larger.
    file_bytes: Vec<u32>,
}

/// One sample as [`Listing::new`] takes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Position of its class among the class names.
    pub class: u32,
    /// Path below the class folder, with `/` between parts.
    pub name: &'a str,
    /// Size of the file in bytes.
    pub file_bytes: u64,
}

impl Listing {
    /// A listing of files `root/CLASS/NAME`, in the order given.
    ///
    /// # Errors
    /// [`Error::ClassOutOfRange`] for an entry whose class has no name; [`Error::TooLarge`] for more than 65536
    /// classes, 2^32 - 1 samples or 4 GiB of file names.
    pub fn new<'a>(
        root: impl Into<PathBuf>,
        class_names: impl Into<Arc<[String]>>,
        entries: impl IntoIterator<Item = Entry<'a>>,
    ) -> Result<Self, Error> {
        let mut listing = Self {
            root: root.into(),
            class_names: class_names.into(),
            names: String::new(),
            ends: Vec::new(),
            classes: Vec::new(),
            file_bytes: Vec::new(),
        };
        for entry in entries {
            listing.push(entry)?;
        }
        listing.shrink();
        Ok(listing)
    }

    fn push(&mut self, entry: Entry<'_>) -> Result<(), Error> {
        let classes = self.class_names.len();
        if entry.class as usize >= classes {
            let (sample, class) = (entry.name.to_owned(), entry.class);
            return Err(Error::ClassOutOfRange { sample, class, classes });
        }
        let class = u16::try_from(entry.class)
            .map_err(|_| self.too_large("classes", u64::from(u16::MAX) + 1))?;
        if self.ends.len() >= u32::MAX as usize {
            return Err(self.too_large("samples", u64::from(u32::MAX)));
        }
        self.names.push_str(entry.name);
        let end = u32::try_from(self.names.len())
            .map_err(|_| self.too_large("bytes of file names", u64::from(u32::MAX)))?;
        self.ends.push(end);
        self.classes.push(class);
        self.file_bytes.push(u32::try_from(entry.file_bytes).unwrap_or(u32::MAX));
        Ok(())
    }

    fn too_large(&self, what: &'static str, limit: u64) -> Error {
        Error::TooLarge { path: self.root.clone(), what, limit }
    }

    fn shrink(&mut self) {
        self.names.shrink_to_fit();
        self.ends.shrink_to_fit();
        self.classes.shrink_to_fit();
        self.file_bytes.shrink_to_fit();
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Number of samples as sample indices count them.
    pub fn count(&self) -> u32 {
        u32::try_from(self.ends.len()).unwrap_or(u32::MAX)
    }

    /// Whether there is no sample.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The folder that holds the class folders.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Class names; the position is the label.
    pub fn class_names(&self) -> &[String] {
        &self.class_names
    }

    /// The label of sample `i`, which must be below [`len`](Self::len).
    pub fn class(&self, i: u32) -> u32 {
        u32::from(self.classes[i as usize])
    }

    /// The file of sample `i`, which must be below [`len`](Self::len).
    pub fn path(&self, i: u32) -> PathBuf {
        let class = &self.class_names[self.class(i) as usize];
        let mut path = PathBuf::with_capacity(
            self.root.as_os_str().len() + class.len() + self.name(i).len() + 2,
        );
        path.push(&self.root);
        path.push(class);
        path.push(self.name(i));
        path
    }

    /// The path of sample `i` below its class folder, with `/` between parts.
    pub fn name(&self, i: u32) -> &str {
        let start = i.checked_sub(1).map_or(0, |before| self.ends[before as usize]);
        &self.names[start as usize..self.ends[i as usize] as usize]
    }

    /// The size of the file of sample `i` when it was listed, in bytes; `u32::MAX` for 4 GiB and more.
    pub fn file_bytes(&self, i: u32) -> u32 {
        self.file_bytes[i as usize]
    }

    /// Number of samples of each class.
    pub fn class_counts(&self) -> Vec<u32> {
        let mut counts = vec![0; self.class_names.len()];
        for &class in &self.classes {
            counts[usize::from(class)] += 1;
        }
        counts
    }

    /// The samples of each class, in ascending order.
    pub fn by_class(&self) -> Vec<Vec<u32>> {
        let mut members: Vec<Vec<u32>> =
            self.class_counts().iter().map(|&n| Vec::with_capacity(n as usize)).collect();
        for (i, &class) in (0_u32..).zip(&self.classes) {
            members[usize::from(class)].push(i);
        }
        members
    }

    /// The samples at `indices`, in that order, with the same classes. All must be below [`len`](Self::len).
    pub fn select(&self, indices: &[u32]) -> Self {
        let mut chosen = Self {
            root: self.root.clone(),
            class_names: Arc::clone(&self.class_names),
            names: String::new(),
            ends: Vec::with_capacity(indices.len()),
            classes: indices.iter().map(|&i| self.classes[i as usize]).collect(),
            file_bytes: indices.iter().map(|&i| self.file_bytes[i as usize]).collect(),
        };
        for &i in indices {
            chosen.names.push_str(self.name(i));
            // Cannot saturate unless `indices` repeats samples until their names exceed 4 GiB.
            chosen.ends.push(u32::try_from(chosen.names.len()).unwrap_or(u32::MAX));
        }
        chosen.names.shrink_to_fit();
        chosen
    }

    /// A fingerprint of the class names and of every sample's class, path and file size, in order: 32 hex
    /// digits (XXH3, 128 bits).
    ///
    /// The root is left out, so a data set that was moved keeps its fingerprint. Sources sort what they list,
    /// so the order in which a file system reports files does not show. Contents are not read: a picture
    /// replaced by another of the same name and size goes unnoticed.
    pub fn fingerprint(&self) -> String {
        let mut hash = Xxh3::new();
        let mut text = |part: &str| {
            hash.update(&(part.len() as u64).to_le_bytes());
            hash.update(part.as_bytes());
        };
        text("kiln listing 1");
        self.class_names.iter().for_each(|name| text(name));
        for i in 0..self.count() {
            text(self.name(i));
            text(&format!("{} {}", self.class(i), self.file_bytes(i)));
        }
        format!("{:032x}", hash.digest128())
    }

    /// Memory held for samples, in bytes, without the class names.
    pub fn heap_bytes(&self) -> usize {
        self.names.capacity()
            + self.ends.capacity() * size_of::<u32>()
            + self.classes.capacity() * size_of::<u16>()
            + self.file_bytes.capacity() * size_of::<u32>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pets() -> Listing {
        let entries = [(0, "a.jpg", 10), (0, "deep/b.jpg", 11), (1, "c.png", 12)]
            .map(|(class, name, file_bytes)| Entry { class, name, file_bytes });
        Listing::new("pets", ["cat".to_owned(), "dog".to_owned()], entries).unwrap()
    }

    #[test]
    fn paths_classes_and_counts() {
        let pets = pets();
        assert_eq!(pets.path(0), Path::new("pets").join("cat").join("a.jpg"));
        assert_eq!(pets.path(1), Path::new("pets").join("cat").join("deep").join("b.jpg"));
        assert_eq!((pets.class(1), pets.class(2)), (0, 1));
        assert_eq!(pets.class_counts(), [2, 1]);
        assert_eq!(pets.by_class(), [vec![0, 1], vec![2]]);
    }

    #[test]
    fn selecting_everything_changes_nothing() {
        let pets = pets();
        assert_eq!(pets.select(&[0, 1, 2]), pets);
        assert_eq!(pets.select(&[0, 1, 2]).fingerprint(), pets.fingerprint());
    }

    #[test]
    fn selecting_follows_the_order_given() {
        let chosen = pets().select(&[2, 1]);
        assert_eq!((chosen.name(0), chosen.name(1)), ("c.png", "deep/b.jpg"));
        assert_eq!((chosen.class(0), chosen.class(1)), (1, 0));
    }

    #[test]
    fn fingerprint_is_pinned_and_sees_sizes_and_names() {
        let fingerprint = |name: &str, file_bytes| {
            let entry = Entry { class: 0, name, file_bytes };
            Listing::new("r", ["k".to_owned()], [entry]).unwrap().fingerprint()
        };
        let base = fingerprint("a.jpg", 1);
        assert_eq!(base, "a9235261fe82a35463ebcf5620921932");
        assert_ne!(base, fingerprint("a.jpg", 2));
        assert_ne!(base, fingerprint("b.jpg", 1));
    }

    #[test]
    fn a_class_without_a_name_is_refused() {
        let entry = Entry { class: 1, name: "a.jpg", file_bytes: 1 };
        let error = Listing::new("r", ["k".to_owned()], [entry]).unwrap_err();
        assert!(matches!(error, Error::ClassOutOfRange { class: 1, classes: 1, .. }));
    }

    #[test]
    fn imagenet_names_cost_thirty_bytes() {
        let names: Vec<String> = (0..1000).map(|i| format!("n01440764_{i:05}.JPEG")).collect();
        let entries = names.iter().map(|name| Entry { class: 0, name, file_bytes: 110_000 });
        let listing = Listing::new("train", ["n01440764".to_owned()], entries).unwrap();
        assert_eq!(listing.heap_bytes() / listing.len(), 30);
    }
}
