//! No hook, one hook, or several, as one: `Option`, `Box`, `Vec`.
//!
//! Every method is forwarded: clippy refuses an impl here that leaves one out.
#![deny(clippy::missing_trait_methods)]

use super::*;

/// The methods of a hook that holds hooks: each is called, and all are asked for the same.
macro_rules! forward {
    () => {
        #[inline]
        fn needs(&self, step: usize) -> Needs {
            let needs = self.iter().map(|hook| hook.needs(step));
            needs.fold(Needs::NOTHING, |all, needs| all | needs)
        }

        fn epoch_needs(&self, epoch: usize) -> Needs {
            let needs = self.iter().map(|hook| hook.epoch_needs(epoch));
            needs.fold(Needs::NOTHING, |all, needs| all | needs)
        }

        forward! { Control, Control::Continue, Control::and;
            fit_start FitStart, epoch_start EpochStart, batch_start BatchStart,
            after_loss AfterLoss, after_backward AfterBackward, before_step BeforeStep,
            after_step AfterStep, batch_end BatchEnd, eval_start EvalStart, eval_batch EvalBatch,
            eval_end EvalEnd, epoch_end EpochEnd, checkpoint_saved CheckpointSaved,
            checkpoint_loaded CheckpointLoaded
        }
        forward! { (), (), |(), ()| (); exception Exception, fit_end FitEnd }
    };
    ($answer:ty, $none:expr, $and:expr; $($method:ident $context:ident),*) => {$(
        #[inline]
        fn $method(&mut self, at: &$context<'_>) -> Result<$answer, HookError> {
            let mut all = Ok($none);
            for hook in self.iter_mut() {
                all = match (all, hook.$method(at)) {
                    (Ok(all), Ok(this)) => Ok($and(all, this)),
                    (Err(first), _) => Err(first),
                    (_, Err(error)) => Err(error),
                };
            }
            all
        }
    )*};
}

/// A hook or none.
impl<H: Hook> Hook for Option<H> {
    fn name(&self) -> &str {
        self.as_ref().map_or("None", Hook::name)
    }

    fn state(&self) -> State {
        self.as_ref().map_or_else(State::new, Hook::state)
    }

    fn load_state(&mut self, state: &State) -> Result<(), HookError> {
        self.as_mut().map_or(Ok(()), |hook| hook.load_state(state))
    }

    forward!();
}

/// Several hooks, called in their order; all are called, also where one fails.
impl<H: Hook> Hook for Vec<H> {
    fn name(&self) -> &str {
        match self.as_slice() {
            [only] => only.name(),
            _ => "Vec",
        }
    }

    fn state(&self) -> State {
        let mut state = State::new();
        for (index, hook) in self.iter().enumerate() {
            state.nest(&index.to_string(), hook.state());
        }
        state
    }

    fn load_state(&mut self, state: &State) -> Result<(), HookError> {
        let mut result = Ok(());
        for (index, hook) in self.iter_mut().enumerate() {
            result = result.and(hook.load_state(&state.under(&index.to_string())));
        }
        result
    }

    forward!();
}

/// A hook of any type.
impl<H: Hook + ?Sized> Hook for Box<H> {
    fn name(&self) -> &str {
        (**self).name()
    }

    fn state(&self) -> State {
        (**self).state()
    }

    fn load_state(&mut self, state: &State) -> Result<(), HookError> {
        (**self).load_state(state)
    }

    forward!();
}

/// One hook as several are, for `forward`.
trait Held {
    type Hook: Hook + ?Sized;
    fn iter(&self) -> std::iter::Once<&Self::Hook>;
    fn iter_mut(&mut self) -> std::iter::Once<&mut Self::Hook>;
}

impl<H: Hook + ?Sized> Held for Box<H> {
    type Hook = H;

    fn iter(&self) -> std::iter::Once<&H> {
        std::iter::once(&**self)
    }

    fn iter_mut(&mut self) -> std::iter::Once<&mut H> {
        std::iter::once(&mut **self)
    }
}

#[cfg(test)]
#[allow(
    clippy::missing_trait_methods,
    reason = "a test's hook has what it needs"
)]
mod tests {
    use super::*;

    struct Counts(usize, Option<&'static str>);

    impl Hook for Counts {
        fn needs(&self, step: usize) -> Needs {
            if step == self.0 {
                Needs::LOSS
            } else {
                Needs::NOTHING
            }
        }

        fn state(&self) -> State {
            let mut state = State::new();
            state.set("count", self.0 as f64);
            state
        }

        fn load_state(&mut self, state: &State) -> Result<(), HookError> {
            self.0 = state.number("count").ok_or("no count")? as usize;
            Ok(())
        }

        fn eval_start(&mut self, _: &EvalStart<'_>) -> Result<Control, HookError> {
            self.0 += 1;
            match self.1 {
                Some("fail") => Err("as the test wants".into()),
                Some(reason) => Ok(Control::Stop(reason.to_owned())),
                None => Ok(Control::Continue),
            }
        }
    }

    fn call(hook: &mut dyn Hook) -> Result<Control, HookError> {
        hook.eval_start(&EvalStart {
            epoch: 0,
            batches: 1,
            parameters: &crate::train::NoTensors,
        })
    }

    #[test]
    fn several_hooks_are_all_called_and_the_first_to_stop_says_why() {
        let mut hooks: Vec<Box<dyn Hook>> = vec![
            Box::new(None::<Counts>),
            Box::new(Some(Counts(1, None))),
            Box::new(vec![Counts(2, Some("first")), Counts(3, Some("second"))]),
        ];
        assert_eq!(call(&mut hooks).unwrap(), Control::Stop("first".to_owned()));
        let counts = |step| hooks.needs(step).has(Needs::LOSS);
        assert_eq!(
            [1, 2, 3, 4, 5].map(counts),
            [false, true, true, true, false]
        );
        hooks.insert(0, Box::new(Counts(0, Some("fail"))));
        assert_eq!(
            call(&mut hooks).unwrap_err().to_string(),
            "as the test wants"
        );
        assert_eq!(hooks.state().number("3.1.count"), Some(5.0));
    }

    #[test]
    fn state_comes_back_to_the_hook_that_gave_it() {
        let hooks = || vec![Box::new(Counts(7, None)), Box::new(Counts(9, None))];
        let mut others = vec![Counts(0, None), Counts(0, None)];
        others.load_state(&hooks().state()).unwrap();
        assert_eq!((others[0].0, others[1].0), (7, 9));
        assert!(others.load_state(&State::new()).is_err());
        assert_eq!((hooks()[0].name(), hooks().name()), ("Counts", "Vec"));
    }
}
