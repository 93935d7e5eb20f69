//! The pages of knobs that a CLAP host puts on a controller.

use nice_plug::prelude::*;

use super::LockstepParams;

impl LockstepParams {
    /// Declares the pages, the most played controls first; eight knobs per page.
    pub(crate) fn pages(&self, context: &mut impl RemoteControlsContext) {
        let Self {
            density,
            drummer,
            feel,
            free_run,
            kit,
            bass,
            ..
        } = self;
        context.add_section("Lockstep", |section| {
            section.add_page("Play", |page| {
                page.add_param(&density.overall);
                page.add_param(&drummer.energy);
                page.add_param(&drummer.follow);
                page.add_param(&drummer.style);
                page.add_param(&drummer.fills);
                page.add_param(&drummer.fill_now);
                page.add_param(&drummer.new_idea);
                page.add_param(&drummer.variation);
            });
            section.add_page("Density", |page| {
                page.add_param(&density.kick);
                page.add_param(&density.snare);
                page.add_param(&density.hats);
                page.add_param(&density.toms);
                page.add_param(&density.cymbals);
                page.add_param(&density.percussion);
            });
            section.add_page("Drummer", |page| {
                page.add_param(&drummer.fills);
                page.add_param(&drummer.fill_length);
                page.add_param(&drummer.fill_amount);
                page.add_param(&drummer.fill_now);
                page.add_param(&drummer.seed);
                page.add_param(&drummer.silence);
            });
            section.add_page("Feel", |page| {
                page.add_param(&feel.swing);
                page.add_param(&feel.shuffle);
                page.add_param(&feel.humanise);
                page.add_param(&feel.own);
                page.add_param(&feel.velocity);
                page.add_param(&kit.level);
                page.add_param(&bass.touch);
                page.add_param(&bass.late_hands);
            });
            section.add_page("Free run", |page| {
                page.add_param(&free_run.is_on);
                page.add_param(&free_run.tempo);
                page.add_param(&free_run.meter);
                page.add_param(&free_run.start);
                page.add_param(&free_run.tap);
                page.add_param(&free_run.tempo_follow);
            });
        });
    }
}
