//! Something that was looked up and is kept for a while, so that many who ask at once wait for one answer.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

/// What only finds things: an id by a name. Whoever finds nothing creates, is told that it exists, and looks again.
pub const NAMES: Duration = Duration::from_secs(300);

/// What is compared with what is asked: as long as the looks of one run take, and no longer.
pub const STATE: Duration = Duration::from_secs(20);

/// One answer with its age. Clones share it.
#[derive(Debug, Clone)]
pub struct Remembered<T> {
    life: Duration,
    held: Arc<Mutex<Option<(Instant, T)>>>,
}

impl<T: Clone> Remembered<T> {
    /// Nothing yet; what comes is kept for so long.
    pub fn new(life: Duration) -> Self {
        Remembered { life, held: Arc::default() }
    }

    /// The answer, asked anew where there is none or it is too old. A failure is not kept.
    pub async fn get<E>(&self, ask: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        let mut held = self.held.lock().await;
        if let Some((since, value)) = &*held
            && since.elapsed() < self.life
        {
            return Ok(value.clone());
        }
        let value = ask.await?;
        *held = Some((Instant::now(), value.clone()));
        Ok(value)
    }

    /// The next who asks looks anew.
    pub async fn forget(&self) {
        *self.held.lock().await = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_answer_is_kept_until_it_is_old_or_forgotten_and_a_failure_never() {
        let kept = Remembered::new(NAMES);
        let fails = async { Err("nobody answered") };
        assert!(kept.get(fails).await.is_err());
        assert_eq!(kept.get(async { Ok::<_, &str>(1) }).await.unwrap(), 1);
        assert_eq!(kept.get(async { Ok::<_, &str>(2) }).await.unwrap(), 1);
        kept.forget().await;
        assert_eq!(kept.get(async { Ok::<_, &str>(3) }).await.unwrap(), 3);
        let short_lived = Remembered::new(Duration::ZERO);
        assert_eq!(short_lived.get(async { Ok::<_, &str>(1) }).await.unwrap(), 1);
        assert_eq!(short_lived.get(async { Ok::<_, &str>(2) }).await.unwrap(), 2);
    }
}
