//! Equalizes the histogram of each tile of a grid, within a limit, with probability `p` (CLAHE).
//!
//! # Randomness
//! Two draws: whether to act, and the limit.
//!
//! # Parity
//! albumentations' `CLAHE` (2.0.8) of RGB pictures, which equalizes the lightness of L\*a\*b\* with OpenCV; `render`
//! bit for bit. A gray picture is taken as an RGB one; albumentations equalizes its levels themselves. `tile_grid_size` is
//! `[rows, columns]` as albumentations documents it; it hands them to OpenCV the other way round.
//!
//! # Example
//! ```toml
//! pipeline = [{ type = "clahe", clip_limit = [1.0, 4.0], tile_grid_size = [8, 8], p = 0.2 }]
//! ```

use super::OpSettings;
use crate::color::clahe::{Grid, equalize_tiles};
use crate::color::opencv_lab::{FromLab, ToLab};
use crate::color::planes::each_pixel;
use crate::error::{Error, check, check_probability};
use crate::image::{Image8, Size};
use crate::key::OpRng;
use crate::op::Op;
use serde::{Deserialize, Serialize};
use std::cell::RefCell;

/// The most rows and columns of tiles.
const MOST_TILES: u32 = 64;

/// Settings of [`Clahe`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClaheSpec {
    /// Smallest and largest limit, from 1 on: how many times the mean count a level of a tile may count.
    pub clip_limit: [f64; 2],
    /// Rows and columns of tiles, from 1 to 64.
    pub tile_grid_size: [u32; 2],
    /// How often to act, from 0 to 1.
    pub p: f64,
}

impl Default for ClaheSpec {
    fn default() -> Self {
        Self { clip_limit: [1.0, 4.0], tile_grid_size: [8, 8], p: 0.5 }
    }
}

impl OpSettings for ClaheSpec {
    type Op = Clahe;

    fn build(&self, _: Size) -> Result<Clahe, Error> {
        check_probability(self.p)?;
        let [low, high] = self.clip_limit;
        check(
            1.0 <= low && low <= high && high < f64::INFINITY,
            "clip_limit",
            "[min, max] with 1 <= min <= max",
            self.clip_limit,
        )?;
        check(
            self.tile_grid_size.iter().all(|tiles| (1..=MOST_TILES).contains(tiles)),
            "tile_grid_size",
            "[rows, columns] from 1 to 64",
            self.tile_grid_size,
        )?;
        let [rows, columns] = self.tile_grid_size.map(|tiles| tiles as usize);
        Ok(Clahe { clip_limit: self.clip_limit, grid: Grid { rows, columns }, p: self.p })
    }

    fn example() -> Self {
        Self { p: 1.0, ..Self::default() }
    }
}

/// Equalizes the histogram of each tile of a grid, within a limit, with probability `p`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Clahe {
    clip_limit: [f64; 2],
    grid: Grid,
    p: f64,
}

thread_local! {
    static LIGHTNESS: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

impl Op for Clahe {
    /// The limit; `None`: rests.
    type Draw = Option<f64>;

    fn draw(&self, _: Size, rng: &mut OpRng) -> Option<f64> {
        let acts = rng.bernoulli(self.p);
        let [low, high] = self.clip_limit;
        let limit = rng.uniform(low, high);
        acts.then_some(limit)
    }

    fn render(&self, mut image: Image8, draw: &Option<f64>) -> Image8 {
        let Some(clip_limit) = *draw else { return image };
        each_pixel(&mut image, ToLab::new());
        let size = image.size();
        LIGHTNESS.with_borrow_mut(|lightness| {
            lightness.clear();
            lightness.extend(image.rgb_mut().iter().map(|pixel| pixel[0]));
            equalize_tiles(lightness, size, self.grid, clip_limit);
            for (pixel, &lightness) in image.rgb_mut().iter_mut().zip(&*lightness) {
                pixel[0] = lightness;
            }
        });
        each_pixel(&mut image, FromLab::new());
        image
    }
}
