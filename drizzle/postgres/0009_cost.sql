ALTER TABLE "usage" ADD COLUMN "cost_nanos" bigint;--> statement-breakpoint
ALTER TABLE "users" ADD COLUMN "budget_day_micros" bigint;--> statement-breakpoint
ALTER TABLE "users" ADD COLUMN "budget_month_micros" bigint;--> statement-breakpoint
CREATE INDEX "usage_cost" ON "usage" USING btree ("at","user_id","cost_nanos","duration_ms") WHERE cost_nanos > 0;