//! Sets parameters through the host, so that it can record them as automation.

use nice_plug::context::gui::{GuiContext, ParamSetter};
use nice_plug::prelude::Param;

use crate::params::{ParameterIdx, Parameters};

/// Sets parameters for the musician.
pub(super) struct Setter<'a>(ParamSetter<'a>);

impl std::fmt::Debug for Setter<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Setter").finish_non_exhaustive()
    }
}

impl<'a> Setter<'a> {
    pub(super) fn new(host: &'a GuiContext) -> Self {
        Self(host.param_setter())
    }

    /// Begins a gesture on a parameter.
    pub(super) fn begin_gesture(&self, param: &impl Param) {
        self.0.begin_set_parameter(param);
    }

    /// Sets the parameter during a gesture, to a value in `[0, 1]`.
    pub(super) fn set_in_gesture(&self, param: &impl Param, to: f32) {
        self.0.set_parameter_normalized(param, to.clamp(0.0, 1.0));
    }

    /// Ends the gesture.
    pub(super) fn end_gesture(&self, param: &impl Param) {
        self.0.end_set_parameter(param);
    }

    /// Sets one of these parameters in a whole gesture.
    pub(super) fn set_at(&self, parameters: &Parameters, at: ParameterIdx, to: f32) {
        let pointer = parameters.pointer(at);
        #[expect(unsafe_code, reason = "the framework takes its parameters as pointers")]
        // SAFETY: `parameters` keeps the parameter alive, and it belongs to the instance that this host runs.
        unsafe {
            self.0.raw_context.raw_begin_set_parameter(pointer);
            self.0
                .raw_context
                .raw_set_parameter_normalized(pointer, to.clamp(0.0, 1.0));
            self.0.raw_context.raw_end_set_parameter(pointer);
        }
    }

    /// Sets a parameter in a whole gesture.
    pub(super) fn set(&self, param: &impl Param, to: f32) {
        self.begin_gesture(param);
        self.set_in_gesture(param, to);
        self.end_gesture(param);
    }
}
