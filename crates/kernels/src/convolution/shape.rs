//! The sizes of a convolution and which pixels its taps touch.

/// Sizes of a 2-D convolution; maps are channels-last, `[batch, height, width, channels]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ConvShape {
    pub(crate) batch: usize,
    /// Height, width and channels of the input.
    pub(crate) input: MapSize,
    /// Height, width and channels of the output.
    pub(crate) output: MapSize,
    /// Height and width of the kernel.
    pub(crate) kernel: [usize; 2],
    pub(crate) stride: [usize; 2],
    /// Zeros before the first row and the first column.
    pub(crate) padding: [usize; 2],
}

/// Size of one picture's map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MapSize {
    pub(crate) height: usize,
    pub(crate) width: usize,
    pub(crate) channels: usize,
}

impl MapSize {
    /// Floats of one picture's map.
    pub(crate) fn len(self) -> usize {
        self.height * self.width * self.channels
    }
}

impl ConvShape {
    /// The shape of a convolution of `[batch, channels, height, width]` with a weight of
    /// `[outputs, channels, kernel height, kernel width]`, padded alike before and behind.
    pub(crate) fn new(
        [batch, channels, height, width]: [usize; 4],
        [outputs, _, kernel_height, kernel_width]: [usize; 4],
        stride: [usize; 2],
        padding: [usize; 2],
    ) -> Self {
        let kernel = [kernel_height, kernel_width];
        let out =
            |size: usize, axis: usize| (size + 2 * padding[axis] - kernel[axis]) / stride[axis] + 1;
        Self {
            batch,
            input: MapSize { height, width, channels },
            output: MapSize { height: out(height, 0), width: out(width, 1), channels: outputs },
            kernel,
            stride,
            padding,
        }
    }

    /// Positions of the kernel.
    pub(crate) fn taps(self) -> usize {
        self.kernel[0] * self.kernel[1]
    }
}

/// Along one axis, the source position that each tap of each destination position reads.
#[derive(Debug, Clone)]
pub(crate) struct AxisTaps {
    taps: usize,
    /// `destination * taps + tap` to the source position, if it lies in the map.
    sources: Vec<Option<u32>>,
    /// Destinations that are equal modulo this have the same taps, apart from the borders.
    pub(crate) period: usize,
}

impl AxisTaps {
    /// Output position `o` reads the inputs `o * stride + tap - padding`.
    pub(crate) fn forward(shape: ConvShape, axis: usize) -> Self {
        let (input, output) = shape.axis(axis);
        Self::new(output, shape.kernel[axis], 1, |o, tap| {
            (o * shape.stride[axis] + tap).checked_sub(shape.padding[axis]).filter(|&i| i < input)
        })
    }

    /// Input position `i` receives from the outputs whose `o * stride + tap - padding` it is.
    pub(crate) fn backward(shape: ConvShape, axis: usize) -> Self {
        let (input, output) = shape.axis(axis);
        let stride = shape.stride[axis];
        Self::new(input, shape.kernel[axis], stride, |i, tap| {
            let reached = (i + shape.padding[axis]).checked_sub(tap)?;
            (reached % stride == 0).then_some(reached / stride).filter(|&o| o < output)
        })
    }

    /// One tap: position `d` reads `d * stride`.
    pub(crate) fn steps(destinations: usize, stride: usize) -> Self {
        Self::new(destinations, 1, 1, |d, _| Some(d * stride))
    }

    fn new(
        destinations: usize,
        taps: usize,
        period: usize,
        source: impl Fn(usize, usize) -> Option<usize>,
    ) -> Self {
        let sources = (0..destinations)
            .flat_map(|d| (0..taps).map(move |tap| (d, tap)))
            .map(|(d, tap)| source(d, tap).and_then(|s| u32::try_from(s).ok()))
            .collect();
        Self { taps, sources, period }
    }

    pub(crate) fn taps(&self) -> usize {
        self.taps
    }

    /// Whether any destination's `tap` lies in the map.
    pub(crate) fn uses(&self, tap: usize) -> bool {
        self.sources[tap..].iter().step_by(self.taps).any(Option::is_some)
    }

    pub(crate) fn source(&self, destination: usize, tap: usize) -> Option<usize> {
        self.sources[destination * self.taps + tap].map(|s| s as usize)
    }
}

impl ConvShape {
    /// Input and output positions along an axis: 0 is down, 1 is right.
    fn axis(self, axis: usize) -> (usize, usize) {
        match axis {
            0 => (self.input.height, self.output.height),
            _ => (self.input.width, self.output.width),
        }
    }
}
